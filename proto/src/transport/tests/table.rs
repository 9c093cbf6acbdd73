//! Every call, every role, and everything that can be wrong with a certificate: what happens is what the table says.

use std::collections::BTreeSet;

use prost_reflect::DescriptorPool;

use super::super::keyring::Keyring;
use super::raw::{Fate, call, client, config, serve_all};
use super::stand::{Authority, FLEET, expired, written};
use crate::access::{TABLE, judge};
use crate::transport::{Door, Limits, Tls};
use crate::{Caller, FleetName, Identity, Role};

/// The paths of all calls of all services, as they are in the descriptors.
fn calls() -> BTreeSet<String> {
    let bytes = include_bytes!(concat!(env!("OUT_DIR"), "/descriptors.bin"));
    let pool = DescriptorPool::decode(bytes.as_slice()).unwrap();
    let methods = pool.services().flat_map(|service| service.methods().collect::<Vec<_>>());
    methods.map(|method| format!("/{}/{}", method.parent_service().full_name(), method.name())).collect()
}

#[test]
fn the_table_has_exactly_one_row_for_each_call() {
    let rows: Vec<&str> = TABLE.iter().map(|row| row.call).collect();
    let distinct: BTreeSet<String> = rows.iter().map(|&row| row.to_owned()).collect();
    assert_eq!(distinct.len(), rows.len(), "a call has two rows");
    assert_eq!(distinct, calls());
}

/// A call that nobody has thought of may be made by nobody, and no call by everybody.
#[test]
fn no_row_lets_everybody_in() {
    for row in TABLE {
        assert!(row.who.roles.len() < Role::ALL.len(), "{}", row.call);
        assert_eq!(row.who.anonymous, row.call.ends_with("/Enrol"), "{}", row.call);
        let agents = row.call.starts_with("/ratchet.v1.Agent/");
        assert!(
            !agents || row.who.roles == [Role::Coordinator],
            "agents obey coordinators only: {}",
            row.call
        );
    }
}

#[test]
fn the_table_is_told_as_it_is() {
    let told = include_str!("../../../../docs/certificates.md");
    for row in TABLE {
        let mut who: Vec<&str> = row.who.roles.iter().map(|role| role.word()).collect();
        who.extend(row.who.anonymous.then_some("or no certificate"));
        let call = row.call.trim_start_matches("/ratchet.v1.");
        let line = format!("| `{call}` | {} |", who.join(", "));
        assert!(told.contains(&line), "docs/certificates.md lacks {line}");
    }
}

fn door(path: &str) -> Door {
    if path.starts_with("/ratchet.v1.Agent/") { Door::Agent } else { Door::Coordinator }
}

fn identity(fleet: &str, role: Role) -> String {
    format!("spiffe://{fleet}/{role}/x")
}

/// Both doors, with what each shows and whom it does not accept any more.
struct Doors {
    dir: tempfile::TempDir,
    ours: Authority,
    trusted: Tls,
    agent: u16,
    coordinator: u16,
}

impl Doors {
    async fn open() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let ours = Authority::new();
        let revoked: Vec<String> = Role::ALL.map(|role| identity("revoked", role)).to_vec();
        let revoked: Vec<&str> = revoked.iter().map(String::as_str).collect();
        let crl = Some(written(dir.path(), "crl.pem", &ours.revoking(&revoked)));
        // Generous: one test makes as many calls as a fleet in an hour.
        let limits = Limits { connections_per_address: 10_000, connections: 10_000, ..Limits::COORDINATOR };
        let serve = |who: &str, door| {
            let tls = Tls { crl: crl.clone(), ..ours.issue(dir.path(), who, &["localhost"]) };
            serve_all(Some(Keyring::of(&tls).unwrap()), door, limits)
        };
        let agent = serve("agent/a", Door::Agent).await;
        let coordinator = serve("coordinator/c", Door::Coordinator).await;
        let trusted = ours.issue(dir.path(), "viewer/any", &[]);
        Self { dir, ours, trusted, agent, coordinator }
    }

    fn port(&self, path: &str) -> u16 {
        match door(path) {
            Door::Agent => self.agent,
            Door::Coordinator => self.coordinator,
        }
    }

    async fn call(&self, path: &str, own: Option<&Tls>) -> Fate {
        call(client(self.port(path), &self.trusted, own), path).await
    }

    fn issue(&self, fleet: &str, role: Role) -> Tls {
        self.ours.issue_as(self.dir.path(), &identity(fleet, role), &[], |_| {})
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_role_may_make_the_calls_of_its_rows_and_no_others() {
    let doors = Doors::open().await;
    let own: FleetName = FLEET.parse().unwrap();
    for role in Role::ALL {
        let tls = doors.issue(FLEET, role);
        let who: Identity = identity(FLEET, role).parse().unwrap();
        for path in calls() {
            let expected = match judge(&path, &Caller::Known(who.clone()), Some(&own)) {
                Ok(()) => Fate::Reached(who.to_string()),
                Err(_) => Fate::Denied("not-allowed".to_owned()),
            };
            assert_eq!(doors.call(&path, Some(&tls)).await, expected, "{role} {path}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_has_no_certificate_may_ask_for_one_and_nothing_else() {
    let doors = Doors::open().await;
    for path in calls() {
        let expected = match (door(&path), judge(&path, &Caller::Anonymous, None)) {
            (Door::Agent, _) => Fate::Cut,
            (Door::Coordinator, Ok(())) => Fate::Reached(Caller::Anonymous.to_string()),
            (Door::Coordinator, Err(_)) => Fate::Denied("not-allowed".to_owned()),
        };
        assert_eq!(doors.call(&path, None).await, expected, "{path}");
    }
}

/// A certificate that must not be accepted opens nothing, whatever role it says; not even what needs none.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_bad_certificate_gets_through_to_any_call() {
    let doors = Doors::open().await;
    let theirs = Authority::new();
    for role in Role::ALL {
        let bad = [
            ("expired", doors.ours.issue_as(doors.dir.path(), &identity(FLEET, role), &[], expired)),
            ("of another authority", theirs.issue_as(doors.dir.path(), &identity(FLEET, role), &[], |_| {})),
            ("revoked", doors.issue("revoked", role)),
        ];
        for (what, tls) in bad {
            for path in calls() {
                assert_eq!(doors.call(&path, Some(&tls)).await, Fate::Cut, "{what} {role} {path}");
            }
        }
        let foreign = doors.issue("other", role);
        let nameless = doors.ours.issue_as(doors.dir.path(), "", &["localhost"], |_| {});
        for path in calls() {
            let said = doors.call(&path, Some(&foreign)).await;
            assert_eq!(said, Fate::Denied("other-fleet".to_owned()), "{role} {path}");
            let said = doors.call(&path, Some(&nameless)).await;
            assert_eq!(said, Fate::Denied("not-allowed".to_owned()), "{path}");
        }
    }
}

#[tokio::test]
async fn a_call_that_is_in_no_row_is_refused_to_everybody() {
    let doors = Doors::open().await;
    for role in Role::ALL {
        let tls = doors.issue(FLEET, role);
        for path in
            ["/ratchet.v1.Coordinator/Reboot", "/ratchet.v1.Coordinator/Status/", "/ratchet.v1.Agent/observe"]
        {
            let said = doors.call(path, Some(&tls)).await;
            assert_eq!(said, Fate::Denied("not-allowed".to_owned()), "{role} {path}");
        }
        let elsewhere =
            call(client(doors.agent, &doors.trusted, Some(&tls)), "/ratchet.v1.Coordinator/Status");
        assert_eq!(elsewhere.await, Fate::Denied("other-version".to_owned()), "it is not served there");
    }
}

#[tokio::test]
async fn nothing_older_than_tls_1_3_is_spoken() {
    let doors = Doors::open().await;
    let tls = doors.issue(FLEET, Role::Coordinator);
    let old = config(&doors.trusted, Some(&tls), &[&rustls::version::TLS12]);
    for port in [doors.agent, doors.coordinator] {
        let channel = super::raw::channel(port, old.clone());
        let status = super::raw::called(channel, "/ratchet.v1.Agent/Observe", Default::default()).await;
        let text = super::raw::failure(status).cause.unwrap();
        assert!(text.contains("ProtocolVersion"), "{text}");
    }
}
