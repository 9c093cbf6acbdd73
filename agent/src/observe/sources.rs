//! Package sources as this node sees them: whether an archive can be had, and how large it says it is.

use std::time::Duration;

use proto::{Probe, SourceFacts};
use reqwest::header::{CONTENT_LENGTH, CONTENT_RANGE, RANGE};
use reqwest::{Client, Response, StatusCode, Url};

use crate::host::with_causes;

/// One question to one source.
const DEADLINE: Duration = Duration::from_secs(10);

/// Asks every source at once.
pub(super) async fn sources(urls: &[String]) -> Vec<SourceFacts> {
    // A client reads the certificates of all authorities from the disk: a look is not to do so every time.
    let client = if urls.iter().any(|url| url.starts_with("http")) {
        let client = Client::builder().connect_timeout(DEADLINE).timeout(DEADLINE).build();
        client.map_err(|error| with_causes(&error))
    } else {
        Err("no source is asked over the network".to_owned())
    };
    futures::future::join_all(urls.iter().map(|url| source(&client, url))).await
}

async fn source(client: &Result<Client, String>, url: &str) -> SourceFacts {
    let size = match size(client, url).await {
        Ok(size) => Probe::Known(size),
        Err(reason) => Probe::Unknown(reason),
    };
    SourceFacts { url: url.to_owned(), size }
}

async fn size(client: &Result<Client, String>, text: &str) -> Result<Option<u64>, String> {
    let url = Url::parse(text).map_err(|error| format!("it is no URL: {error}"))?;
    match url.scheme() {
        "file" => file_size(&url).await.map(Some),
        "http" | "https" => http_size(client.as_ref().map_err(Clone::clone)?, url).await,
        other => Err(format!("`{other}` is no supported scheme: use https, http or file")),
    }
}

async fn file_size(url: &Url) -> Result<u64, String> {
    let path = url.to_file_path().map_err(|()| "it names no file of this machine".to_owned())?;
    let metadata =
        tokio::fs::metadata(&path).await.map_err(|error| format!("{}: {error}", path.display()))?;
    if metadata.is_file() { Ok(metadata.len()) } else { Err(format!("{} is no file", path.display())) }
}

/// `HEAD`; some servers refuse it or leave the size out, so the first byte is asked for then.
async fn http_size(client: &Client, url: Url) -> Result<Option<u64>, String> {
    if let Ok(response) = client.head(url.clone()).send().await
        && response.status().is_success()
        && let Some(size) = content_length(&response)
    {
        return Ok(Some(size));
    }
    let answer = client.get(url).header(RANGE, "bytes=0-0").send().await;
    // The URL may hold a password or a signature: it stays out of the message.
    let response = answer.map_err(|error| with_causes(&error.without_url()))?;
    match response.status() {
        StatusCode::PARTIAL_CONTENT => Ok(total(&response)),
        status if status.is_success() => Ok(content_length(&response)),
        status => Err(format!("the server answered {status}")),
    }
}

fn content_length(response: &Response) -> Option<u64> {
    response.headers().get(CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

/// The number behind the slash of `bytes 0-0/1234`.
fn total(response: &Response) -> Option<u64> {
    response.headers().get(CONTENT_RANGE)?.to_str().ok()?.rsplit_once('/')?.1.parse().ok()
}

#[cfg(test)]
mod tests {
    use axum::Router;
    use axum::http::{HeaderMap, Method};
    use axum::response::IntoResponse;
    use axum::routing::any;

    use super::*;

    /// A server with one path per temper.
    async fn server() -> String {
        let no_head = async |method: Method, headers: HeaderMap| match method {
            Method::GET if headers.contains_key(RANGE) => {
                (StatusCode::PARTIAL_CONTENT, [(CONTENT_RANGE, "bytes 0-0/777")], "x").into_response()
            }
            _ => StatusCode::METHOD_NOT_ALLOWED.into_response(),
        };
        let router = Router::new()
            .route("/good.tar", any(async || "x".repeat(4321)))
            .route("/no-head.tar", any(no_head))
            .route("/gone.tar", any(async || StatusCode::NOT_FOUND));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async { axum::serve(listener, router).await });
        format!("http://{address}")
    }

    #[tokio::test]
    async fn sizes_and_reasons() {
        let base = server().await;
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("a b.tar");
        std::fs::write(&file, "12345").unwrap();
        let file = Url::from_file_path(&file).unwrap().to_string();
        let closed = {
            let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
            format!("http://user:secret@{}/x.tar", listener.local_addr().unwrap())
        };
        let urls = [
            format!("{base}/good.tar"),
            format!("{base}/no-head.tar"),
            file,
            format!("{base}/gone.tar"),
            closed,
            "file:///nonexistent.tar".to_owned(),
            "s3://bucket/x.tar".to_owned(),
            "redislabs.tar".to_owned(),
        ];
        let facts = sources(&urls).await;
        let sizes: Vec<Option<Option<u64>>> = facts.iter().map(|fact| fact.size.known().copied()).collect();
        assert_eq!(sizes[..3], [Some(Some(4321)), Some(Some(777)), Some(Some(5))]);
        assert!(sizes[3..].iter().all(Option::is_none), "{facts:?}");
        assert!(facts[3].size.as_result().unwrap_err().contains("404"));
        assert!(!facts[4].size.as_result().unwrap_err().contains("secret"), "{facts:?}");
        assert_eq!(facts.iter().map(|fact| &fact.url).collect::<Vec<_>>(), urls.iter().collect::<Vec<_>>());
    }
}
