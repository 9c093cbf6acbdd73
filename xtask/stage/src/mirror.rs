//! A package mirror: a static web server on loopback.

use std::io;
use std::net::SocketAddr;
use std::path::Path;

use tokio::net::TcpListener;
use tokio::task::AbortHandle;
use tower_http::services::ServeDir;

/// A package mirror. Ends when dropped.
#[derive(Debug)]
pub struct Mirror {
    address: SocketAddr,
    server: AbortHandle,
}

impl Mirror {
    /// Serves the files of a directory.
    ///
    /// # Errors
    /// When no port can be listened on.
    pub async fn start(directory: &Path) -> io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let files = axum::Router::new().fallback_service(ServeDir::new(directory));
        let server = tokio::spawn(async move { axum::serve(listener, files).await });
        Ok(Self { address, server: server.abort_handle() })
    }

    /// Where a file is served.
    pub fn url(&self, file: &str) -> String {
        format!("http://{}/{file}", self.address)
    }
}

impl Drop for Mirror {
    fn drop(&mut self) {
        self.server.abort();
    }
}
