use super::*;

const SECRET: &str = "hunter2";

#[test]
fn several_hosts_are_told_apart_and_no_secret_is_told() {
    let text =
        "postgres://ratchet:hunter2@127.0.0.1:5433,[::1]:5434/fleet?application_name=x&password=hunter2";
    let location = Location::of(text).unwrap();
    let hosts: Vec<_> =
        location.hosts.iter().map(|host| (host.name.as_str(), host.options.get_port())).collect();
    assert_eq!(hosts, [("127.0.0.1:5433", 5433), ("[::1]:5434", 5434)]);
    for told in [format!("{location:?}"), location.shown.clone(), shown(text)] {
        assert!(!told.contains(SECRET) && told.contains("ratchet@127.0.0.1:5433,[::1]:5434/fleet"), "{told}");
    }
}

#[test]
fn nothing_plain_and_nothing_unproven_leaves_the_machine() {
    for far in [
        "postgres://u@db.internal/r",
        "postgres://u:hunter2@db.internal/r?sslmode=require",
        "postgres://u@db.internal/r?sslmode=prefer",
        "postgres://u@127.0.0.1,10.0.0.7/r",
        "postgresql://u@localhost.evil.org/r",
        "postgres://127.0.0.1@db.internal/r",
    ] {
        let (reason, remedy) = mistake(far).unwrap_or_else(|| panic!("{far}"));
        assert!(reason.contains("another machine") && !reason.contains(SECRET), "{far}: {reason}");
        assert!(remedy.contains("sslmode=verify-full"), "{far}");
        assert!(matches!(Location::of(far), Err(StoreError::Unusable { .. })));
    }
    for sly in [
        "postgres://u@db.internal/r?sslmode=verify-full&sslmode=disable",
        "postgres://u@db.internal/r?sslmode=verify-full&ssl-mode=require",
        "postgres://u@localhost/r?h%6Fst=db.internal",
        "postgres://u@localhost/r?h%6Fstaddr=10.0.0.7",
    ] {
        assert!(matches!(Location::of(sly), Err(StoreError::Unusable { .. })), "{sly}");
    }
    for fine in [
        "postgres://u@db.internal,db2.internal:6432/r?sslmode=verify-full&sslrootcert=/ca.pem",
        "postgres://u@localhost/r",
        "postgres://u@[::1]/r",
        "postgres://u@127.0.0.2:1/r?sslmode=disable",
        "postgres:///r?host=/run/postgresql",
        "postgres://u@%2Frun%2Fpostgresql/r",
    ] {
        assert_eq!(mistake(fine), None, "{fine}");
    }
}

#[test]
fn a_socket_is_reached_in_both_spellings() {
    for text in
        ["postgres:///r?host=/run/postgresql&user=u&port=5433", "postgres://u@%2Frun%2Fpostgresql:5433/r"]
    {
        let options = &Location::of(text).unwrap().hosts[0].options;
        assert_eq!(options.get_socket().unwrap().to_str(), Some("/run/postgresql"), "{text}");
        assert_eq!((options.get_username(), options.get_port()), ("u", 5433), "{text}");
    }
}

#[test]
fn a_parameter_cannot_lead_elsewhere() {
    for bad in [
        "postgres://u@localhost/r?host=db.internal",
        "postgres://u@localhost/r?hostaddr=10.0.0.7",
        "postgres://u@localhost/r?port=1",
        "postgres:///r?host=db.internal",
        "postgres:///r",
        "postgres://u@/r",
        "postgres://u@localhost",
        "postgres://u@localhost,/r",
        "postgres://",
    ] {
        assert!(mistake(bad).is_some(), "{bad}");
    }
}
