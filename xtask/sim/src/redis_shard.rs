//! Talking to a shard's real `redis-server`.

use std::time::Duration;

use redis::aio::MultiplexedConnection;
use redis::{AsyncConnectionConfig, RedisResult};

const PATIENCE: Duration = Duration::from_millis(250);

/// What a shard says about itself.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ShardInfo {
    /// Whether it still reads its data.
    pub loading: bool,
    /// Whether it follows a primary.
    pub is_replica: bool,
    /// Whether the link to its primary is up and no transfer runs.
    pub link_up: bool,
    /// How far it is in the stream of writes.
    pub offset: u64,
}

/// Opens a connection that gives up soon, both on connecting and on every answer.
pub async fn connect(address: &str, port: u16) -> RedisResult<MultiplexedConnection> {
    let config = AsyncConnectionConfig::new()
        .set_connection_timeout(Some(PATIENCE))
        .set_response_timeout(Some(PATIENCE));
    let client = redis::Client::open((address, port))?;
    client.get_multiplexed_async_connection_with_config(&config).await
}

/// Asks a shard how it is.
pub async fn info(connection: &mut MultiplexedConnection) -> RedisResult<ShardInfo> {
    let text: String = redis::cmd("INFO").query_async(connection).await?;
    Ok(parse_info(&text))
}

/// Picks the lines that matter out of `INFO`; what is missing counts as bad.
fn parse_info(text: &str) -> ShardInfo {
    let field = |name: &str| {
        text.lines()
            .find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))
            .map(str::trim)
            .unwrap_or_default()
    };
    let is_replica = field("role") != "master";
    let offset = field(if is_replica { "slave_repl_offset" } else { "master_repl_offset" });
    ShardInfo {
        loading: field("loading") != "0",
        is_replica,
        link_up: field("master_link_status") == "up" && field("master_sync_in_progress") == "0",
        offset: offset.parse().unwrap_or(0),
    }
}

/// Makes a shard a primary, or the replica of another.
pub async fn replica_of(connection: &mut MultiplexedConnection, of: Option<(&str, u16)>) -> RedisResult<()> {
    let mut command = redis::cmd("REPLICAOF");
    match of {
        None => command.arg("NO").arg("ONE"),
        Some((address, port)) => command.arg(address).arg(port),
    };
    command.exec_async(connection).await
}

/// Holds writes back (`true`) or lets them through again.
pub async fn pause_writes(connection: &mut MultiplexedConnection, pause: bool) -> RedisResult<()> {
    let mut command = redis::cmd("CLIENT");
    if pause {
        command.arg("PAUSE").arg(5000).arg("WRITE")
    } else {
        command.arg("UNPAUSE")
    };
    command.exec_async(connection).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn missing_lines_count_as_bad() {
        assert_eq!(parse_info(""), ShardInfo { loading: true, is_replica: true, link_up: false, offset: 0 });
        let text = "loading:0\r\nrole:slave\r\nmaster_link_status:up\r\nmaster_sync_in_progress:0\r\nslave_repl_offset:42\r\n";
        assert_eq!(
            parse_info(text),
            ShardInfo { loading: false, is_replica: true, link_up: true, offset: 42 }
        );
    }
}
