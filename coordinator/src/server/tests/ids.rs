//! Ids of checks and advisories, as people type them.

use super::stage::Stage;
use crate::checks::{Acceptance, Severity};

fn accept(id: &str) -> [Acceptance; 1] {
    [Acceptance { id: id.to_owned(), reason: "we know".to_owned() }]
}

#[tokio::test]
async fn only_what_no_promise_forbids_can_be_accepted() {
    let stage = Stage::new();
    let core = stage.core().await;
    for id in ["disk", "openssl33-rhel9", "hook:10-freeze"] {
        core.acceptable(&accept(id)).unwrap();
    }
    for (id, failure, says) in [
        ("health", "invalid-acceptance", "promise P4"),
        ("path", "invalid-acceptance", "promise P3"),
        ("nonsense", "unknown-check", "`nonsense`"),
        ("A1", "unknown-check", "`A1`"),
    ] {
        let refused = core.acceptable(&accept(id)).unwrap_err();
        assert_eq!(refused.id, failure);
        assert!(refused.message.contains(says), "{refused}");
        let asked = core.check("orders", None, &accept(id)).await.unwrap_err();
        assert_eq!(asked.id, failure);
        let to = "7.4.6-22".parse().unwrap();
        assert_eq!(core.plan("orders", to, &accept(id)).await.unwrap_err().id, failure);
    }
}

#[tokio::test]
async fn an_id_is_explained_and_so_is_the_vendor_s_own_name() {
    let stage = Stage::new();
    let core = stage.core().await;
    let explained = core.why("health").await.unwrap().explained.unwrap();
    assert_eq!((explained.kind.as_str(), explained.promise.as_deref()), ("check", Some("P4")));
    for name in ["openssl33-rhel9", "A1", "RS196656"] {
        let answer = core.why(name).await.unwrap();
        assert!(answer.commands[0].contains("--accept openssl33-rhel9="), "{:?}", answer.commands);
        let explained = answer.explained.unwrap();
        assert_eq!((explained.kind.as_str(), explained.severity), ("advisory", Severity::Block));
        assert!(explained.when.contains("8.0.16") && explained.when.contains("fixed in"), "{explained:?}");
    }
    assert_eq!(core.why("nonsense").await.unwrap_err().id, "no-such-run");
}
