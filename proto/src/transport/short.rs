//! What somebody without a certificate may send in one request: little.

use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::{Buf, Bytes};
use http_body::Frame;
use tonic::Status;
use tonic::body::Body;

/// A token, a name and a request for a certificate are a few KiB; whole messages are kept in memory.
const LONGEST: usize = 64 * 1024;

/// A body that breaks off when it is too long.
#[derive(Debug)]
pub(super) struct Short {
    body: Body,
    left: usize,
}

impl Short {
    pub(super) fn cut(body: Body) -> Body {
        Body::new(Self { body, left: LONGEST })
    }
}

impl http_body::Body for Short {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        let polled = Pin::new(&mut self.body).poll_frame(cx);
        let Poll::Ready(Some(Ok(frame))) = &polled else { return polled };
        let length = frame.data_ref().map_or(0, Buf::remaining);
        match self.left.checked_sub(length) {
            Some(left) => {
                self.left = left;
                polled
            }
            None => {
                let status = Status::resource_exhausted("a request without a certificate must be short");
                Poll::Ready(Some(Err(status)))
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }
}
