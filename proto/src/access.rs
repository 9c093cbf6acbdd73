//! Which role may make which call: one table, and a pure judgement over it. What is not in the table nobody may call.

use crate::{Caller, FleetName, Role};

/// One call and who may make it.
#[derive(Clone, Copy, Debug)]
pub struct Row {
    /// The call's path in gRPC: `/package.Service/Method`.
    pub call: &'static str,
    /// Who may make it.
    pub who: Who,
}

/// Who may make a call.
#[derive(Clone, Copy, Debug)]
pub struct Who {
    /// The roles that may.
    pub roles: &'static [Role],
    /// Whether somebody without a certificate may, too.
    pub anonymous: bool,
}

const COORDINATORS: Who = Who { roles: &[Role::Coordinator], anonymous: false };
const AGENTS: Who = Who { roles: &[Role::Agent], anonymous: false };
const OPERATORS: Who = Who { roles: &[Role::Operator], anonymous: false };
const VIEWERS: Who = Who { roles: &[Role::Operator, Role::Viewer], anonymous: false };
/// A token is what counts here, and it is looked at by the call itself.
const ANYBODY: Who = Who { roles: &[Role::Agent], anonymous: true };

/// The table.
pub const TABLE: &[Row] = &[
    Row { call: "/ratchet.v1.Agent/Observe", who: COORDINATORS },
    Row { call: "/ratchet.v1.Agent/Claim", who: COORDINATORS },
    Row { call: "/ratchet.v1.Agent/TakeOver", who: COORDINATORS },
    Row { call: "/ratchet.v1.Agent/Release", who: COORDINATORS },
    Row { call: "/ratchet.v1.Agent/Execute", who: COORDINATORS },
    Row { call: "/ratchet.v1.Agent/Cancel", who: COORDINATORS },
    Row { call: "/ratchet.v1.Agent/Histories", who: COORDINATORS },
    Row { call: "/ratchet.v1.Agent/RunHooks", who: COORDINATORS },
    Row { call: "/ratchet.v1.Agent/SetHalt", who: COORDINATORS },
    Row { call: "/ratchet.v1.Agent/SetCatalogue", who: COORDINATORS },
    Row { call: "/ratchet.v1.Coordinator/Status", who: VIEWERS },
    Row { call: "/ratchet.v1.Coordinator/Paths", who: VIEWERS },
    Row { call: "/ratchet.v1.Coordinator/ListPackages", who: VIEWERS },
    Row { call: "/ratchet.v1.Coordinator/ShowPackage", who: VIEWERS },
    Row { call: "/ratchet.v1.Coordinator/Check", who: VIEWERS },
    Row { call: "/ratchet.v1.Coordinator/Plan", who: VIEWERS },
    Row { call: "/ratchet.v1.Coordinator/Runs", who: VIEWERS },
    Row { call: "/ratchet.v1.Coordinator/Show", who: VIEWERS },
    Row { call: "/ratchet.v1.Coordinator/Report", who: VIEWERS },
    Row { call: "/ratchet.v1.Coordinator/Watch", who: VIEWERS },
    Row { call: "/ratchet.v1.Coordinator/Why", who: VIEWERS },
    Row { call: "/ratchet.v1.Coordinator/CheckRollout", who: VIEWERS },
    Row { call: "/ratchet.v1.Coordinator/Rollouts", who: VIEWERS },
    Row { call: "/ratchet.v1.Coordinator/ShowRollout", who: VIEWERS },
    Row { call: "/ratchet.v1.Coordinator/WatchRollout", who: VIEWERS },
    Row { call: "/ratchet.v1.Coordinator/Inventory", who: VIEWERS },
    Row { call: "/ratchet.v1.Coordinator/Leader", who: VIEWERS },
    Row { call: "/ratchet.v1.Coordinator/ExportRun", who: VIEWERS },
    Row { call: "/ratchet.v1.Coordinator/Enrolments", who: VIEWERS },
    Row { call: "/ratchet.v1.Coordinator/AddPackage", who: OPERATORS },
    Row { call: "/ratchet.v1.Coordinator/RemovePackage", who: OPERATORS },
    Row { call: "/ratchet.v1.Coordinator/Start", who: OPERATORS },
    Row { call: "/ratchet.v1.Coordinator/Pause", who: OPERATORS },
    Row { call: "/ratchet.v1.Coordinator/Resume", who: OPERATORS },
    Row { call: "/ratchet.v1.Coordinator/Abort", who: OPERATORS },
    Row { call: "/ratchet.v1.Coordinator/Retry", who: OPERATORS },
    Row { call: "/ratchet.v1.Coordinator/TakeOverCluster", who: OPERATORS },
    Row { call: "/ratchet.v1.Coordinator/ApplyRollout", who: OPERATORS },
    Row { call: "/ratchet.v1.Coordinator/AskRollout", who: OPERATORS },
    Row { call: "/ratchet.v1.Coordinator/HaltFleet", who: OPERATORS },
    Row { call: "/ratchet.v1.Coordinator/AssignAgent", who: OPERATORS },
    Row { call: "/ratchet.v1.Coordinator/PruneRuns", who: OPERATORS },
    Row { call: "/ratchet.v1.Coordinator/CreateToken", who: OPERATORS },
    Row { call: "/ratchet.v1.Coordinator/DecideEnrolment", who: OPERATORS },
    Row { call: "/ratchet.v1.Coordinator/Enrol", who: ANYBODY },
    Row { call: "/ratchet.v1.Coordinator/RenewCertificate", who: AGENTS },
];

/// Why somebody may not make a call.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Denied {
    /// There is no such row.
    #[error("nobody may call {call}")]
    Unlisted {
        /// The call.
        call: String,
    },
    /// They showed no certificate.
    #[error("{call} needs a certificate, and none was shown")]
    Anonymous {
        /// The call.
        call: String,
    },
    /// They are of another fleet.
    #[error("{caller} is of another fleet than {own}")]
    OtherFleet {
        /// Who called.
        caller: String,
        /// The fleet of whoever was called.
        own: FleetName,
    },
    /// Their role may not.
    #[error("{caller} may not call {call}: its role is {role}")]
    Role {
        /// Who called.
        caller: String,
        /// Their role.
        role: Role,
        /// The call.
        call: String,
    },
}

/// Whether a caller may make a call of somebody who belongs to `own`. Pure.
///
/// # Errors
/// Why not.
pub fn judge(call: &str, caller: &Caller, own: Option<&FleetName>) -> Result<(), Denied> {
    let named = || call.to_owned();
    let row = TABLE.iter().find(|row| row.call == call).ok_or_else(|| Denied::Unlisted { call: named() })?;
    match caller {
        Caller::Local => Ok(()),
        Caller::Anonymous if row.who.anonymous => Ok(()),
        Caller::Anonymous => Err(Denied::Anonymous { call: named() }),
        Caller::Known(identity) => {
            if let Some(own) = own.filter(|own| **own != identity.fleet) {
                return Err(Denied::OtherFleet { caller: identity.to_string(), own: own.clone() });
            }
            match row.who.roles.contains(&identity.role) {
                true => Ok(()),
                false => {
                    let caller = identity.to_string();
                    Err(Denied::Role { caller, role: identity.role, call: named() })
                }
            }
        }
    }
}
