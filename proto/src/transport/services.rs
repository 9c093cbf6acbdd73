//! Clients and servers with the message limits that both sides agree on.

use tonic::transport::Channel;

use crate::pb::agent_client::AgentClient;
use crate::pb::agent_server::{Agent, AgentServer};
use crate::pb::coordinator_client::CoordinatorClient;
use crate::pb::coordinator_server::{Coordinator, CoordinatorServer};

/// The largest message, in bytes. The facts of a node in a cluster of 35 nodes and 5,000 shards need about 1 MiB; a
/// run's events as one document can be larger.
pub const MAX_MESSAGE_BYTES: usize = 64 * 1024 * 1024;

/// A client of an agent.
pub fn agent_client(channel: Channel) -> AgentClient<Channel> {
    AgentClient::new(channel)
        .max_decoding_message_size(MAX_MESSAGE_BYTES)
        .max_encoding_message_size(MAX_MESSAGE_BYTES)
}

/// A service for [`server_builder`](super::server_builder) around an agent.
pub fn agent_server<T: Agent>(agent: T) -> AgentServer<T> {
    AgentServer::new(agent)
        .max_decoding_message_size(MAX_MESSAGE_BYTES)
        .max_encoding_message_size(MAX_MESSAGE_BYTES)
}

/// A client of a coordinator.
pub fn coordinator_client(channel: Channel) -> CoordinatorClient<Channel> {
    CoordinatorClient::new(channel)
        .max_decoding_message_size(MAX_MESSAGE_BYTES)
        .max_encoding_message_size(MAX_MESSAGE_BYTES)
}

/// A service for [`server_builder`](super::server_builder) around a coordinator.
pub fn coordinator_server<T: Coordinator>(coordinator: T) -> CoordinatorServer<T> {
    CoordinatorServer::new(coordinator)
        .max_decoding_message_size(MAX_MESSAGE_BYTES)
        .max_encoding_message_size(MAX_MESSAGE_BYTES)
}
