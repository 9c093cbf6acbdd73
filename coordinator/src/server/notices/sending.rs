//! One attempt to tell somebody.

use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::sync::OnceLock;
use std::time::Duration;

use jiff::Timestamp;
use proto::process::{self, Ending, Keep, Limits, SYSTEM_PATH};
use reqwest::header::CONTENT_TYPE;
use reqwest::redirect::Policy;
use reqwest::{Client, StatusCode};

use crate::config::{Format, Receiver, WebhookUrl};
use crate::failures::chain;
use crate::notify::{Answer, Notice, Secret, sign, slack};

/// How long one attempt may take.
pub(super) const LIMIT: Duration = Duration::from_secs(10);
/// What is kept of what a command prints.
const MOST_OUTPUT: usize = 16 * 1024;

/// What attempts need; made when it is needed first.
#[derive(Debug, Default)]
pub(super) struct Sender(OnceLock<Result<Client, String>>);

impl Sender {
    pub(super) async fn send(&self, receiver: &Receiver, notice: &Notice, now: Timestamp) -> Answer {
        let json = match serde_json::to_string(notice) {
            Ok(json) => json,
            Err(error) => return Answer::Refused(format!("it cannot be written down: {error}")),
        };
        match receiver {
            Receiver::Command(words) => run(words, &json).await,
            Receiver::Webhook { url, format, secret_file } => {
                let body = match format {
                    Format::Json => json,
                    Format::Slack => slack(notice),
                };
                let signature = match secret_file {
                    Some(file) => secret(file).await.map(|secret| Some(sign(&secret, now, body.as_bytes()))),
                    None => Ok(None),
                };
                match signature {
                    Ok(signature) => self.post(url, notice, body, signature).await,
                    // Never unsigned: the receiver would refuse it for good.
                    Err(reason) => Answer::Failed(reason),
                }
            }
        }
    }

    async fn post(
        &self,
        url: &WebhookUrl,
        notice: &Notice,
        body: String,
        signature: Option<String>,
    ) -> Answer {
        let client = match self.0.get_or_init(client) {
            Ok(client) => client,
            Err(reason) => return Answer::Failed(reason.clone()),
        };
        let mut request = client
            .post(url.whole())
            .header(CONTENT_TYPE, "application/json")
            .header("Ratchet-Notice-Id", &notice.id)
            .body(body);
        if let Some(signature) = signature {
            request = request.header("Ratchet-Signature", signature);
        }
        match request.send().await {
            Ok(response) => judge(response.status()),
            // The URL may hold a secret.
            Err(error) => Answer::Failed(chain(&error.without_url())),
        }
    }
}

/// Redirects are not followed: nobody in between decides who gets the news.
fn client() -> Result<Client, String> {
    let agent = concat!("ratchet/", env!("CARGO_PKG_VERSION"));
    let built = Client::builder().timeout(LIMIT).redirect(Policy::none()).user_agent(agent).build();
    built.map_err(|error| format!("no HTTP client can be made: {}", chain(&error)))
}

/// What an answer means. A request that is wrong now will be wrong tomorrow; a receiver that is overburdened will not.
fn judge(status: StatusCode) -> Answer {
    const PASSING: [StatusCode; 2] = [StatusCode::REQUEST_TIMEOUT, StatusCode::TOO_MANY_REQUESTS];
    let reason = format!("it answered {status}");
    if status.is_success() {
        Answer::Delivered
    } else if status.is_client_error() && !PASSING.contains(&status) {
        Answer::Refused(reason)
    } else {
        Answer::Failed(reason)
    }
}

/// Read at each attempt, so that a new one holds at once.
async fn secret(file: &Path) -> Result<Secret, String> {
    let named = |reason: String| format!("the secret in {} cannot be used: {reason}", file.display());
    let metadata = tokio::fs::metadata(file).await.map_err(|error| named(error.to_string()))?;
    if metadata.mode() & 0o007 != 0 {
        return Err(named(format!("everybody may read it; chmod o-rwx {}", file.display())));
    }
    let contents = tokio::fs::read(file).await.map_err(|error| named(error.to_string()))?;
    Secret::of_file(&contents).map_err(|error| named(error.to_string()))
}

/// A program that has the news when it ends well.
async fn run(words: &[String], json: &str) -> Answer {
    let Some((program, arguments)) = words.split_first() else {
        return Answer::Refused("there is no program".to_owned());
    };
    let mut command = process::clean(program, SYSTEM_PATH);
    command.args(arguments);
    let limits = Limits { time: LIMIT, stdout: MOST_OUTPUT, stderr: Keep::End(MOST_OUTPUT) };
    let ran = process::run(command, Some(json.as_bytes()), limits).await;
    Answer::Failed(match ran.ending {
        Ending::Ended(status) if status.success() => return Answer::Delivered,
        Ending::Ended(status) => {
            let said = String::from_utf8_lossy(&ran.stderr);
            format!("it ended with {status}: {}", said.trim().lines().last().unwrap_or_default())
        }
        Ending::Overdue => format!("it was killed after {} s", LIMIT.as_secs()),
        Ending::TooMuch => format!("it was killed because it printed more than {MOST_OUTPUT} bytes"),
        Ending::NotStarted(error) => format!("it did not start: {error}"),
        Ending::Lost(error) => format!("it cannot be followed: {error}"),
    })
}
