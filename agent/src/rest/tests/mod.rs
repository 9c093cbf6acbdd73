//! The client against servers on this machine: what it sends to whom, and what it makes of every kind of answer.

pub(crate) mod server;

use std::net::SocketAddr;

use server::{Answers, CREDENTIAL, PASSWORD, Pair, Server, self_signed, signed};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use super::{RestError, Session};
use crate::config::Rest;

fn answers(known: &[(&str, u16, &str)]) -> Answers {
    known.iter().map(|(path, status, body)| ((*path).to_owned(), (*status, (*body).to_owned()))).collect()
}

fn files() -> tempfile::TempDir {
    tempfile::tempdir().unwrap()
}

/// Asks, and sees that no error and no debug output holds the password.
async fn ask(rest: &Rest, path: &str, nodes: &[&str]) -> Result<serde_json::Value, RestError> {
    let session = Session::new(rest);
    let answer = session.get(path, nodes).await;
    assert!(!format!("{session:?}").contains(PASSWORD), "{session:?}");
    if let Err(error) = &answer {
        assert!(!format!("{error} {error:?}").contains(PASSWORD), "{error:?}");
    }
    answer
}

async fn status(status: u16) -> RestError {
    let files = files();
    let server = Server::http("127.0.0.1", answers(&[("/v1/x", status, "")])).await;
    ask(&server.rest("http", files.path(), None), "/v1/x", &[]).await.unwrap_err()
}

#[tokio::test]
async fn a_viewer_asks_with_the_credential_and_gets_the_document() {
    let files = files();
    let server = Server::http("127.0.0.1", answers(&[("/v1/x", 200, "{\"a\": 1}")])).await;
    let answer = ask(&server.rest("http", files.path(), None), "/v1/x", &[]).await.unwrap();
    assert_eq!(answer, serde_json::json!({ "a": 1 }));
    assert_eq!(server.seen(), [("/v1/x".to_owned(), Some(CREDENTIAL.to_owned()))]);
}

#[tokio::test]
async fn every_status_is_what_it_means_and_none_is_an_answer() {
    for (code, word) in [(401, "password_file"), (403, "cluster_viewer")] {
        let error = status(code).await;
        assert!(matches!(&error, RestError::Denied { reason, .. } if reason.contains(word)), "{error:?}");
    }
    for code in [404, 405] {
        assert!(matches!(status(code).await, RestError::Unsupported { .. }));
    }
    for code in [201, 204, 301, 303, 304, 400, 406, 409, 429, 500, 502, 503, 505] {
        let error = status(code).await;
        assert!(matches!(&error, RestError::Status { status, .. } if *status == code), "{error:?}");
    }
    assert!(matches!(status(200).await, RestError::Unreadable { .. }), "an empty document");
}

#[tokio::test]
async fn a_redirect_to_a_node_of_the_cluster_is_followed_with_the_credential() {
    for code in [302, 307, 308] {
        let files = files();
        let master = Server::http("127.0.0.2", answers(&[("/v1/x", 200, "[]")])).await;
        let to = format!("http://{}/v1/x", master.address);
        let server = Server::http("127.0.0.1", answers(&[("/v1/x", code, &to)])).await;
        let rest = server.rest("http", files.path(), None);
        assert_eq!(ask(&rest, "/v1/x", &["10.0.0.1", "127.0.0.2"]).await, Ok(serde_json::json!([])));
        assert_eq!(master.seen(), [("/v1/x".to_owned(), Some(CREDENTIAL.to_owned()))]);
    }
}

#[tokio::test]
async fn a_redirect_to_anybody_else_is_not_followed_and_he_sees_nothing() {
    let files = files();
    let stranger = Server::http("127.0.0.2", answers(&[("/v1/x", 200, "[]")])).await;
    let to = format!("http://{}/v1/x", stranger.address);
    let server = Server::http("127.0.0.1", answers(&[("/v1/x", 307, &to)])).await;
    let rest = server.rest("http", files.path(), None);
    for nodes in [&[][..], &["10.0.0.1", "127.0.0.3"]] {
        let error = ask(&rest, "/v1/x", nodes).await.unwrap_err().to_string();
        assert!(error.contains(&format!("redirects to http://{}", stranger.address)), "{error}");
        assert!(error.contains("no node of this cluster"), "{error}");
    }
    assert_eq!(stranger.seen(), []);
}

#[tokio::test]
async fn a_redirect_in_circles_or_to_nowhere_ends() {
    let files = files();
    let circle = answers(&[("/v1/x", 307, "/v1/y"), ("/v1/y", 307, "/v1/x"), ("/v1/z", 307, "http://[")]);
    let server = Server::http("127.0.0.1", circle).await;
    let rest = server.rest("http", files.path(), None);
    let error = ask(&rest, "/v1/x", &[]).await.unwrap_err();
    assert!(matches!(error, RestError::Redirect { .. }), "{error:?}");
    assert_eq!(server.seen().len(), 4, "the question and three hops");
    let error = ask(&rest, "/v1/z", &[]).await.unwrap_err();
    assert!(matches!(error, RestError::Redirect { .. }), "{error:?}");
}

async fn over_https(chain: &str, key: &str, trusted: Option<&str>) -> (Result<(), RestError>, usize) {
    let files = files();
    let server = Server::https(chain, key, answers(&[("/v1/x", 200, "{}")])).await;
    let answer = ask(&server.rest("https", files.path(), trusted), "/v1/x", &[]).await;
    (answer.map(drop), server.seen().len())
}

#[tokio::test]
async fn the_very_certificate_or_one_of_its_authority_is_trusted_whatever_its_name() {
    let Pair { certificate, key } = self_signed();
    assert_eq!(over_https(&certificate, &key, Some(&certificate)).await, (Ok(()), 1));
    let several = format!("{}{certificate}", self_signed().certificate);
    assert_eq!(over_https(&certificate, &key, Some(&several)).await, (Ok(()), 1));
    let (authority, Pair { certificate, key }) = signed(true);
    assert_eq!(over_https(&certificate, &key, Some(&authority)).await, (Ok(()), 1));
}

#[tokio::test]
async fn nobody_else_is_trusted_or_shown_the_credential() {
    let Pair { certificate, key } = self_signed();
    let (authority, signed_by_authority) = signed(true);
    let (pretender, signed_by_pretender) = signed(false);
    let both = format!("{}{pretender}", signed_by_pretender.certificate);
    for (chain, key, trusted) in [
        (&certificate, &key, &self_signed().certificate),
        (&certificate, &key, &authority),
        (&signed_by_authority.certificate, &signed_by_authority.key, &self_signed().certificate),
        (&signed_by_pretender.certificate, &signed_by_pretender.key, &pretender),
        (&both, &signed_by_pretender.key, &pretender),
    ] {
        let (answer, seen) = over_https(chain, key, Some(trusted)).await;
        assert!(matches!(&answer, Err(RestError::NoAnswer { .. })), "{answer:?}");
        assert_eq!(seen, 0);
    }
}

/// Anybody can show a certificate: its key is what counts.
#[tokio::test]
async fn a_certificate_without_its_key_is_worth_nothing() {
    let Pair { certificate, key } = self_signed();
    let (answer, seen) = over_https(&certificate, &self_signed().key, Some(&certificate)).await;
    assert!(matches!(&answer, Err(RestError::NoAnswer { .. })), "{answer:?}");
    assert_eq!(seen, 0);
    assert_eq!(over_https(&certificate, &key, Some(&certificate)).await, (Ok(()), 1));
}

#[tokio::test]
async fn without_a_certificate_https_tells_what_is_missing() {
    let Pair { certificate, key } = self_signed();
    let (answer, seen) = over_https(&certificate, &key, None).await;
    assert_eq!((&answer, seen), (&Err(RestError::NoCertificate), 0));
    assert!(answer.unwrap_err().to_string().contains("set `certificate` in [rest]"));
    for wrong in ["", "garbage", &key] {
        let (answer, _) = over_https(&certificate, &key, Some(wrong)).await;
        assert!(matches!(answer, Err(RestError::Certificate { .. })), "{answer:?}");
    }
}

#[tokio::test]
async fn a_password_that_others_may_read_is_not_used() {
    use std::os::unix::fs::PermissionsExt;
    let files = files();
    let server = Server::http("127.0.0.1", answers(&[("/v1/x", 200, "{}")])).await;
    let rest = server.rest("http", files.path(), None);
    std::fs::set_permissions(&rest.password_file, std::fs::Permissions::from_mode(0o644)).unwrap();
    let error = ask(&rest, "/v1/x", &[]).await.unwrap_err().to_string();
    assert!(error.contains("chmod 600"), "{error}");
    assert_eq!(server.seen(), []);
}

/// A server that says this to whoever connects, then closes or stays silent.
async fn raw(said: Vec<u8>, silent: bool) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        let mut held = Vec::new();
        while let Ok((mut stream, _)) = listener.accept().await {
            let _asked = stream.read(&mut [0; 1024]).await;
            // The client may have had enough.
            let _told = stream.write_all(&said).await;
            if silent {
                held.push(stream);
            }
        }
    });
    address
}

async fn ask_raw(said: Vec<u8>, silent: bool) -> RestError {
    let files = files();
    let server = Server::http("127.0.0.1", Answers::new()).await;
    let mut rest = server.rest("http", files.path(), None);
    rest.url.set_port(Some(raw(said, silent).await.port())).unwrap();
    ask(&rest, "/v1/x", &[]).await.unwrap_err()
}

#[tokio::test(start_paused = true)]
async fn silence_ends_at_the_deadline() {
    for said in ["", "HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n{}"] {
        let error = ask_raw(said.into(), true).await;
        assert!(error.to_string().contains("longer than 10s"), "{error}");
    }
}

#[tokio::test]
async fn half_an_answer_and_too_much_of_one_are_none() {
    let cut = ask_raw("HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n{}".into(), false).await;
    assert!(matches!(cut, RestError::NoAnswer { .. }), "{cut:?}");
    let mut long = b"HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n{}".to_vec();
    long.resize(long.len() + (16 << 20), b' ');
    let long = ask_raw(long, false).await;
    assert!(matches!(&long, RestError::Unreadable { reason, .. } if reason.contains("bytes")), "{long:?}");
    let noise = ask_raw(b"SSH-2.0-x\r\n".to_vec(), false).await;
    assert!(matches!(noise, RestError::NoAnswer { .. }), "{noise:?}");
}

#[tokio::test]
async fn nobody_there_is_told_with_the_reason() {
    let files = files();
    let server = Server::http("127.0.0.1", Answers::new()).await;
    let mut rest = server.rest("http", files.path(), None);
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    rest.url.set_port(Some(closed.port())).unwrap();
    let error = ask(&rest, "/v1/x", &[]).await.unwrap_err().to_string();
    assert!(error.contains("does not answer GET /v1/x") && error.contains("refused"), "{error}");
}
