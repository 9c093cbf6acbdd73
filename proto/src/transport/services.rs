//! Clients and servers with the message limits that both sides agree on.

use tonic::transport::Channel;

use super::gate::Gate;
use crate::pb::agent_client::AgentClient;
use crate::pb::agent_server::{Agent, AgentServer};
use crate::pb::coordinator_client::CoordinatorClient;
use crate::pb::coordinator_server::{Coordinator, CoordinatorServer};

/// The largest message, in bytes. The facts of a node in a cluster of 35 nodes and 5,000 shards need about 1 MiB; a
/// run's events as one document can be larger.
pub const MAX_MESSAGE_BYTES: usize = 64 * 1024 * 1024;

/// The largest request, in bytes: a plan of a large cluster as one document is below 1 MiB. A server has the whole of it
/// in memory.
pub const MAX_REQUEST_BYTES: usize = 16 * 1024 * 1024;

/// A client of an agent.
pub fn agent_client(channel: Channel) -> AgentClient<Channel> {
    AgentClient::new(channel)
        .max_decoding_message_size(MAX_MESSAGE_BYTES)
        .max_encoding_message_size(MAX_MESSAGE_BYTES)
}

/// A service for [`server_builder`](super::server_builder) around an agent, behind the gate.
pub fn agent_server<T: Agent>(agent: T) -> Gate<AgentServer<T>> {
    let server = AgentServer::new(agent)
        .max_decoding_message_size(MAX_REQUEST_BYTES)
        .max_encoding_message_size(MAX_MESSAGE_BYTES);
    Gate::before(server)
}

/// A client of a coordinator.
pub fn coordinator_client(channel: Channel) -> CoordinatorClient<Channel> {
    CoordinatorClient::new(channel)
        .max_decoding_message_size(MAX_MESSAGE_BYTES)
        .max_encoding_message_size(MAX_MESSAGE_BYTES)
}

/// A service for [`server_builder`](super::server_builder) around a coordinator, behind the gate.
pub fn coordinator_server<T: Coordinator>(coordinator: T) -> Gate<CoordinatorServer<T>> {
    let server = CoordinatorServer::new(coordinator)
        .max_decoding_message_size(MAX_REQUEST_BYTES)
        .max_encoding_message_size(MAX_MESSAGE_BYTES);
    Gate::before(server)
}
