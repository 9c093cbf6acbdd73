//! Who else manages this node: on Kubernetes that is the vendor's operator, and nobody else may (fact sheet §9).

use proto::{FactValue, Probe};

use super::Look;
use super::blocking::blocking;

/// What Kubernetes puts into every container that may talk to it. That of the root only: an agent in a container may
/// well look after a stand-in node.
const SERVICE_ACCOUNT: [&str; 2] =
    ["/var/run/secrets/kubernetes.io/serviceaccount", "/run/secrets/kubernetes.io/serviceaccount"];

pub(super) async fn orchestrator(look: &Look<'_>) -> Probe<FactValue> {
    let places = SERVICE_ACCOUNT.map(|place| look.product.rooted(place));
    blocking("an orchestrator", move || {
        for place in places {
            let shown = place.display();
            if place.try_exists().map_err(|error| format!("{shown} cannot be looked at: {error}"))? {
                return Ok(FactValue::Text("kubernetes".to_owned()));
            }
        }
        Ok(FactValue::Text("none".to_owned()))
    })
    .await
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::Product;

    #[tokio::test]
    async fn only_the_roots_own_account_makes_it_kubernetes() {
        for place in SERVICE_ACCOUNT {
            let root = tempfile::tempdir().unwrap();
            let product = Product::new(root.path().to_owned());
            let look = Look { product: &product, node: None, view: None, rest: None };
            let text = |text: &str| Probe::Known(FactValue::Text(text.to_owned()));
            assert_eq!(orchestrator(&look).await, text("none"));
            std::fs::create_dir_all(root.path().join(place.trim_start_matches('/'))).unwrap();
            assert_eq!(orchestrator(&look).await, text("kubernetes"));
        }
    }
}
