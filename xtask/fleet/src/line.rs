//! A connection that knows whose agent it leads to, whichever side opened it.

use std::fmt;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::sync::oneshot;
use tonic::transport::server::Connected;

use crate::agent::SimAgent;

/// Bytes both ways, with TLS or without.
pub(crate) trait Wire: AsyncRead + AsyncWrite + Send + Unpin + fmt::Debug {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin + fmt::Debug> Wire for T {}

/// A connection to one agent.
#[derive(Debug)]
pub(crate) struct Line {
    stream: Box<dyn Wire>,
    agent: Arc<SimAgent>,
    /// Whoever waits for its end sees it in this being dropped.
    _open: Option<oneshot::Sender<()>>,
}

impl Line {
    pub(crate) fn new(
        stream: Box<dyn Wire>,
        agent: Arc<SimAgent>,
        open: Option<oneshot::Sender<()>>,
    ) -> Self {
        Self { stream, agent, _open: open }
    }
}

/// Whose agent a request is for.
#[derive(Clone, Debug)]
pub(crate) struct Whose(pub(crate) Arc<SimAgent>);

impl Connected for Line {
    type ConnectInfo = Whose;

    fn connect_info(&self) -> Whose {
        Whose(Arc::clone(&self.agent))
    }
}

impl AsyncRead for Line {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, into)
    }
}

impl AsyncWrite for Line {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
