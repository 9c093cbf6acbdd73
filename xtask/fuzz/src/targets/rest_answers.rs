//! Documents of the product's own REST API.

use agent::observe::readers::rest_document;
use proto::Fact;
use serde_json::Value;

use super::JSON;
use crate::{Target, expect, seeds};

pub(super) const TARGET: Target = Target::new(run, seeds).words(JSON);

fn seeds() -> Vec<Vec<u8>> {
    let mut seeds = seeds::samples(&["rest-"]);
    seeds.extend(seeds::texts(&[
        r#"{"actions":[{"action_uid":"a","name":"x","status":"running","node_uid":"1"}],"state-machines":[]}"#,
        r#"[{"guid":"g","name":"n","protocol_version":1,"instances":[{"cluster":{"name":"c1"}}]}]"#,
        r#"{"1":{"bdb_size":{"state":true,"severity":"WARNING"},"syncer":{"1":{"state":false}}}}"#,
        r#"{"name":"c.local","a":{"b":{"c":1}},"password":"x"}"#,
        r#"[{"uid":1,"name":"db1","module_list":[{"module_name":"bf","semantic_version":"2.4"}],"replica_sources":[{"uri":"redis://u:p@h:1/"}]}]"#,
        r#"{"status":"ok","nodes":[{"id":1,"status":"ok"}],"certificates":[{"type":"api","expired":false}],"a":{"b":true}}"#,
        r#"{"expired":false,"shards_limit":4,"license":"-----"}"#,
        r#"{"error_code":"forbidden"}"#,
    ]));
    seeds
}

fn run(bytes: &[u8]) {
    let Ok(document) = serde_json::from_slice::<Value>(bytes) else { return };
    for fact in Fact::ALL {
        if let Some(Ok(rows)) = rest_document(*fact, &document) {
            expect::in_proportion(&rows, bytes.len(), 64);
            let secret = rows.iter().flat_map(|row| row.keys()).find(|key| key.ends_with("password"));
            assert!(secret.is_none(), "{fact}: {secret:?} is told");
        }
    }
}
