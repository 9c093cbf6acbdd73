//! Finding the server that takes writes, among several.

use std::io;
use std::sync::atomic::AtomicI64;
use std::time::Duration;

use futures::StreamExt;
use futures::stream::FuturesUnordered;
use sqlx::{Connection, PgConnection, Row};
use tokio::time::timeout;

use super::door::{is_left_behind, passes, silent};
use super::location::Host;

/// How long a server may take to let somebody in.
const LIMIT: Duration = Duration::from_secs(2);

/// How long others are waited for once one is found that takes writes: after a promotion there may be two for a while.
const GRACE: Duration = Duration::from_millis(250);

/// A server that takes writes.
struct Writer {
    timeline: i64,
    connection: PgConnection,
}

/// Why a server is of no use now.
struct Refusal {
    host: String,
    error: sqlx::Error,
}

/// A connection to the server that takes writes; if several say so, to the one that was promoted last.
pub(super) async fn for_writer(hosts: &[Host], highest: &AtomicI64) -> Result<PgConnection, sqlx::Error> {
    let mut looking: FuturesUnordered<_> = hosts.iter().map(|host| look(host, hosts.len() > 1)).collect();
    let (mut best, mut refusals) = (None::<Writer>, Vec::new());
    loop {
        let next = match best {
            None => looking.next().await,
            Some(_) => timeout(GRACE, looking.next()).await.unwrap_or_default(),
        };
        match next {
            None => break,
            Some(Err(refusal)) => refusals.push(refusal),
            Some(Ok(writer)) if best.as_ref().is_none_or(|best| best.timeline < writer.timeline) => {
                best = Some(writer);
            }
            Some(Ok(_)) => {}
        }
    }
    match best {
        Some(writer) if is_left_behind(writer.timeline, highest) => {
            Err(unavailable("the only server that takes writes was left behind when another was promoted"))
        }
        Some(writer) => Ok(writer.connection),
        None => Err(nobody(refusals)),
    }
}

async fn look(host: &Host, one_of_many: bool) -> Result<Writer, Refusal> {
    let looked = timeout(LIMIT, ask(host, one_of_many)).await.unwrap_or_else(|_| Err(silent()));
    looked.map_err(|error| Refusal { host: host.name.clone(), error })
}

async fn ask(host: &Host, one_of_many: bool) -> Result<Writer, sqlx::Error> {
    let mut connection = PgConnection::connect_with(&host.options).await?;
    let closed = "SELECT pg_is_in_recovery() OR current_setting('transaction_read_only')::boolean";
    if sqlx::query(closed).fetch_one(&mut connection).await?.try_get(0)? {
        return Err(unavailable("it takes no writes: it is a standby"));
    }
    let timeline = match one_of_many {
        true => timeline(&mut connection).await?,
        false => 0,
    };
    Ok(Writer { timeline, connection })
}

/// Grows with each promotion. It is the beginning of the name of the file that is written to now.
async fn timeline(connection: &mut PgConnection) -> Result<i64, sqlx::Error> {
    let name: String =
        sqlx::query_scalar("SELECT pg_walfile_name(pg_current_wal_lsn())").fetch_one(connection).await?;
    let timeline = name.get(..8).and_then(|number| i64::from_str_radix(number, 16).ok());
    timeline.ok_or_else(|| sqlx::Error::Protocol(format!("`{name}` is not the name of a WAL file")))
}

/// Without the words around it, which say of each host the same.
fn reason(error: &sqlx::Error) -> String {
    match error {
        sqlx::Error::Io(error) => error.to_string(),
        other => other.to_string(),
    }
}

fn unavailable(reason: &str) -> sqlx::Error {
    sqlx::Error::Io(io::Error::new(io::ErrorKind::NotConnected, reason))
}

/// What does not pass by itself, like a wrong password, is told first; else all that was seen.
fn nobody(mut refusals: Vec<Refusal>) -> sqlx::Error {
    if let Some(lasting) = refusals.iter().position(|refusal| !passes(&refusal.error)) {
        return refusals.swap_remove(lasting).error;
    }
    let seen: Vec<String> =
        refusals.iter().map(|refusal| format!("{}: {}", refusal.host, reason(&refusal.error))).collect();
    unavailable(&format!("no server takes writes ({})", seen.join("; ")))
}
