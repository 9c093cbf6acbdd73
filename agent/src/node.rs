//! The product on this node, as steps ask about it.

use proto::wire::Observe;
use proto::{Checked, Failure, InstalledVersion, NodeRole, Probe, RestartableService, Setting};

use crate::host::{HostError, Product};
use crate::observe::{self, ObservedFacts, Observer};

/// How often `rlcheck` repeats a test of its own that fails.
const RLCHECK_RETRIES: u32 = 1;

/// The product on this node.
#[derive(Clone, Debug)]
pub struct Node {
    observer: Observer,
}

impl Node {
    /// The node that an observer looks at.
    pub fn new(observer: Observer) -> Self {
        Self { observer }
    }

    /// The product.
    pub fn product(&self) -> &Product {
        &self.observer.product
    }

    /// Everything that can be seen of the product and the machine.
    pub async fn observe(&self, asked: &Observe) -> ObservedFacts {
        self.observer.observe(asked).await
    }

    /// The installed version, agreed on by every source that could be read.
    ///
    /// # Errors
    /// A [`Failure`] when it is not known for sure.
    pub async fn installed(&self) -> Result<InstalledVersion, Box<Failure>> {
        known(self.observe(&Observe::default()).await.installed, "which version is installed")
    }

    /// The cluster's role of this node.
    ///
    /// # Errors
    /// A [`Failure`] when it is not known for sure.
    pub async fn role(&self) -> Result<NodeRole, Box<Failure>> {
        let view = self.product().status().await.map_err(|error| of_host(&error))?;
        let unclear = || unknown("which role this node has", "the cluster's master is not clear".to_owned());
        let master = view.agreed_master().ok_or_else(unclear)?;
        Ok(if master == view.local { NodeRole::Master } else { NodeRole::Replica })
    }

    /// The vendor's checks, one after the other.
    ///
    /// # Errors
    /// A [`Failure`] with what was seen.
    pub async fn checks(&self) -> Result<Checked, Failure> {
        observe::checks(self.product(), RLCHECK_RETRIES).await
    }

    /// Restarts a service of the product.
    ///
    /// # Errors
    /// A [`Failure`] when it is not known to have been started.
    pub async fn restart(&self, service: RestartableService) -> Result<(), Box<Failure>> {
        self.product().restart_service(service).await.map_err(|error| of_host(&error))
    }

    /// The value of a setting of the cluster.
    ///
    /// # Errors
    /// A [`Failure`] when it is not known for sure.
    pub async fn setting(&self, setting: Setting) -> Result<u64, Box<Failure>> {
        let info = self.product().info_cluster().await.map_err(|error| of_host(&error))?;
        info.setting(setting).map_err(|error| {
            let remedy = "see that `rladmin info cluster` shows it on the node";
            let failure =
                Failure::operator("unreadable", format!("it cannot be told what {setting} is"), remedy);
            Box::new(failure.because(error.to_string()))
        })
    }

    /// Changes a setting of the cluster. Whether it took is for [`Node::setting`] to see.
    ///
    /// # Errors
    /// A [`Failure`] when the product refused.
    pub async fn tune(&self, setting: Setting, value: u64) -> Result<(), Box<Failure>> {
        self.product().tune_cluster(setting, value).await.map_err(|error| of_host(&error))
    }
}

fn known<T>(probe: Probe<T>, what: &str) -> Result<T, Box<Failure>> {
    match probe {
        Probe::Known(value) => Ok(value),
        Probe::Unknown(reason) | Probe::Unsupported(reason) => Err(unknown(what, reason)),
    }
}

fn unknown(what: &str, reason: String) -> Box<Failure> {
    let remedy = "see that `rladmin status extra all` works on the node";
    Box::new(Failure::operator("unreadable", format!("it cannot be told {what}"), remedy).because(reason))
}

fn of_host(error: &HostError) -> Box<Failure> {
    let remedy = "see that the product's tools work on the node";
    let failure = Failure::operator("product-no-answer", "the product gave no usable answer", remedy);
    let failure = failure.because(crate::failures::chain(error));
    let program = if let HostError::Program(program) = error { Some(program.clone()) } else { None };
    Box::new(Failure { program, ..failure })
}
