//! `/metrics` over plain HTTP. Nothing in it is secret: counts, times and words out of closed lists.

use std::io;
use std::net::SocketAddr;

use axum::Router;
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use proto::transport::Security;
use tokio::net::TcpListener;
use tokio_util::task::AbortOnDropHandle;

use crate::executor::Executor;
use crate::failures::chain;

/// What Prometheus asks for.
const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// Tells an agent's metrics at an address until what is returned is dropped; nowhere if there is no address.
///
/// # Errors
/// The address cannot be listened on.
pub async fn listen(
    address: Option<SocketAddr>,
    executor: &Executor,
) -> io::Result<Option<AbortOnDropHandle<()>>> {
    let Some(address) = address else { return Ok(None) };
    let listener = TcpListener::bind(address).await?;
    Ok(Some(AbortOnDropHandle::new(tokio::spawn(tell(listener, executor.clone())))))
}

/// Tells an agent's metrics on a bound listener until the future is dropped.
pub async fn tell(listener: TcpListener, executor: Executor) {
    let answer = move || {
        let executor = executor.clone();
        async move { answer(&executor).await }
    };
    if let Err(error) = axum::serve(listener, Router::new().route("/metrics", get(answer))).await {
        tracing::error!(error = chain(&error), "metrics are not told any more");
    }
}

/// Everything that is not counted as it happens is looked at now.
async fn answer(executor: &Executor) -> Response {
    executor.measure();
    let metrics = executor.metrics();
    if let Security::Tls(tls) = &executor.door().config.security {
        let tls = tls.clone();
        let expiries = tokio::task::spawn_blocking(move || tls.expiries()).await;
        for (file, expiry) in expiries.into_iter().flatten() {
            if let Err(reason) = &expiry {
                tracing::warn!(file, reason, "when the certificate expires cannot be told");
            }
            metrics.certificate(file, expiry.ok());
        }
    }
    match metrics.text() {
        Ok(text) => ([(CONTENT_TYPE, OPEN_METRICS)], text).into_response(),
        Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, error.to_string()).into_response(),
    }
}
