//! Model checking of the real code: the run machine (`decide`, `next`), its judgements and the agent's claim rules, with
//! everything around them modelled: the store, two coordinators, agents, op runners, nodes, the network and people.

mod agent;
mod at_work;
pub mod bounds;
pub mod case;
mod coordinator;
mod dice;
mod disk;
mod end;
mod events;
pub mod explore;
pub mod fingerprint;
pub mod history;
pub mod look;
pub mod model;
pub mod mutation;
mod people;
pub mod pure;
pub mod rules;
pub mod state;
pub mod table;
pub mod verify;
mod waiting;
pub mod words;
mod world;
