//! Answers that more than one fact is read from: each is asked for once in a look.

use tokio::sync::OnceCell;

use crate::host::{HostError, Product};
use crate::parse::info::Info;
use crate::parse::modules::Modules;

/// What has been asked for in this look.
#[derive(Debug, Default)]
pub(in crate::observe) struct Once {
    info: OnceCell<Result<Info, HostError>>,
    modules: OnceCell<Result<Modules, HostError>>,
}

impl Once {
    /// [`Product::info_cluster`].
    pub(in crate::observe) async fn info_cluster(&self, product: &Product) -> &Result<Info, HostError> {
        self.info.get_or_init(|| product.info_cluster()).await
    }

    /// [`Product::modules`].
    pub(super) async fn modules(&self, product: &Product) -> &Result<Modules, HostError> {
        self.modules.get_or_init(|| product.modules()).await
    }
}
