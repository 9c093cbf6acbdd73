//! Opening a source at an offset: `http(s)://` and `file://` become the same stream of bytes.

use std::io::SeekFrom;

use bytes::Bytes;
use futures::stream::{BoxStream, StreamExt, TryStreamExt};
use reqwest::header::{CONTENT_RANGE, ETAG, HeaderMap, IF_RANGE, RANGE};
use reqwest::{Client, Response, StatusCode, Url};
use serde::{Deserialize, Serialize};
use tokio::io::AsyncSeekExt;
use tokio_util::io::ReaderStream;

use crate::failures::chain;

/// What is known of the bytes kept from an earlier try, so that they are only continued by the same bytes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Origin {
    /// The URL they came from.
    pub(super) source: String,
    /// Its strong entity tag, if it gave one.
    pub(super) etag: Option<String>,
    /// The whole archive's size in bytes, if it was told.
    pub(super) total: Option<u64>,
}

/// A source that is sending.
pub(super) struct Body {
    /// The offset of the first byte: the one asked for, or 0 if the source starts over.
    pub(super) start: u64,
    pub(super) origin: Origin,
    pub(super) bytes: BoxStream<'static, Result<Bytes, String>>,
}

/// Why a source gives nothing.
#[derive(Debug)]
pub(super) enum SourceError {
    /// Trying again may help.
    Transient(String),
    /// It cannot go on from what is kept: trying again from the beginning may help.
    Stale(String),
    /// It will not.
    Permanent(String),
}

/// Opens a source; `kept` says what is held of it already and how many bytes.
pub(super) async fn open(
    client: &Result<Client, String>,
    source: &str,
    kept: Option<(&Origin, u64)>,
) -> Result<Body, SourceError> {
    let url: Url =
        source.parse().map_err(|error| SourceError::Permanent(format!("it is not a URL: {error}")))?;
    match url.scheme() {
        "http" | "https" => match client {
            Ok(client) => open_http(client, url, source, kept).await,
            Err(reason) => Err(SourceError::Permanent(format!("there is no HTTP client here: {reason}"))),
        },
        "file" => open_file(&url, source, kept.map_or(0, |(_, length)| length)).await,
        other => Err(SourceError::Permanent(format!("`{other}` is not http, https or file"))),
    }
}

async fn open_file(url: &Url, source: &str, start: u64) -> Result<Body, SourceError> {
    let path = url
        .to_file_path()
        .map_err(|()| SourceError::Permanent("it names no local path; write file:///path".to_owned()))?;
    let permanent = |error: std::io::Error| SourceError::Permanent(format!("{}: {error}", path.display()));
    let mut file = tokio::fs::File::open(&path).await.map_err(permanent)?;
    let total = file.metadata().await.map_err(permanent)?.len();
    // A file that has shrunk is not the one whose beginning is kept.
    let start = if start <= total { start } else { 0 };
    file.seek(SeekFrom::Start(start)).await.map_err(permanent)?;
    let bytes = ReaderStream::with_capacity(file, 1 << 20).map_err(|error| error.to_string()).boxed();
    let origin = Origin { source: source.to_owned(), etag: None, total: Some(total) };
    Ok(Body { start, origin, bytes })
}

async fn open_http(
    client: &Client,
    url: Url,
    source: &str,
    kept: Option<(&Origin, u64)>,
) -> Result<Body, SourceError> {
    let mut request = client.get(url);
    if let Some((origin, length)) = kept.filter(|(_, length)| *length > 0) {
        request = request.header(RANGE, format!("bytes={length}-"));
        if let Some(etag) = &origin.etag {
            request = request.header(IF_RANGE, etag);
        }
    }
    let response = request.send().await.map_err(classify)?;
    let (start, total) = place(&response, kept)?;
    let origin = Origin { source: source.to_owned(), etag: strong_etag(response.headers()), total };
    let bytes = response.bytes_stream().map_err(|error| chain(&error.without_url())).boxed();
    Ok(Body { start, origin, bytes })
}

/// A mirror may send one on to a URL that is signed for the moment: it is told to nobody.
fn classify(error: reqwest::Error) -> SourceError {
    let for_good = error.is_builder() || error.is_redirect();
    let text = chain(&error.without_url());
    if for_good { SourceError::Permanent(text) } else { SourceError::Transient(text) }
}

/// Which part of the archive an answer holds: `(start, total)`.
fn place(response: &Response, kept: Option<(&Origin, u64)>) -> Result<(u64, Option<u64>), SourceError> {
    let status = response.status();
    match status {
        StatusCode::OK => Ok((0, response.content_length())),
        StatusCode::PARTIAL_CONTENT => partial(response.headers(), kept),
        StatusCode::RANGE_NOT_SATISFIABLE => {
            Err(SourceError::Stale("it has fewer bytes than are kept of it already".to_owned()))
        }
        StatusCode::REQUEST_TIMEOUT | StatusCode::TOO_MANY_REQUESTS => {
            Err(SourceError::Transient(format!("it answers {status}")))
        }
        _ if status.is_server_error() => Err(SourceError::Transient(format!("it answers {status}"))),
        _ => Err(SourceError::Permanent(format!("it answers {status}"))),
    }
}

fn partial(headers: &HeaderMap, kept: Option<(&Origin, u64)>) -> Result<(u64, Option<u64>), SourceError> {
    let wrong = |what: &str| SourceError::Stale(format!("it continues wrongly: {what}"));
    let (origin, length) = kept.ok_or_else(|| wrong("nothing was asked to be continued"))?;
    let range = headers.get(CONTENT_RANGE).and_then(|value| value.to_str().ok());
    let (start, total) = range.and_then(content_range).ok_or_else(|| wrong("no readable Content-Range"))?;
    if start != length {
        return Err(wrong("not at the byte that was asked for"));
    }
    if origin.total.is_some_and(|known| total.is_some_and(|total| total != known)) {
        return Err(wrong("the archive's size has changed"));
    }
    let tag = strong_etag(headers);
    if origin.etag.is_some() && tag.is_some() && origin.etag != tag {
        return Err(wrong("its entity tag has changed"));
    }
    Ok((start, total.or(origin.total)))
}

/// `bytes 100-199/200` → `(100, Some(200))`.
fn content_range(text: &str) -> Option<(u64, Option<u64>)> {
    let (range, total) = text.strip_prefix("bytes ")?.split_once('/')?;
    let start = range.split_once('-')?.0.parse().ok()?;
    Some((start, if total == "*" { None } else { Some(total.parse().ok()?) }))
}

fn strong_etag(headers: &HeaderMap) -> Option<String> {
    let tag = headers.get(ETAG)?.to_str().ok()?;
    (!tag.starts_with("W/")).then(|| tag.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_content_range_is_read_or_refused() {
        assert_eq!(content_range("bytes 100-199/200"), Some((100, Some(200))));
        assert_eq!(content_range("bytes 100-199/*"), Some((100, None)));
        for text in ["bytes */200", "100-199/200", "bytes a-b/c", "bytes 1-2/x", ""] {
            assert_eq!(content_range(text), None, "{text}");
        }
    }
}
