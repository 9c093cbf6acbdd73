use super::packages;
use crate::paths::{PathsDocument, Status, Table, VersionSpec, explain};

fn ask(from: &str, to: &str, at_hand: &[&str]) -> PathsDocument {
    let spec = |text: &str| (!text.is_empty()).then(|| text.parse::<VersionSpec>().unwrap());
    explain(&Table::vendor().unwrap(), spec(from), spec(to), &packages(at_hand))
}

fn stops(document: &PathsDocument) -> String {
    let from = document.hops.first().map(|hop| hop.from.clone());
    from.into_iter().chain(document.hops.iter().map(|hop| hop.to.clone())).collect::<Vec<_>>().join(" ")
}

#[test]
fn from_5_6_to_6_4_leads_over_6_0() {
    let nothing = ask("5.6.0-30", "6.4.2-30", &[]);
    assert_eq!(nothing.supported, Some(true));
    assert_eq!(stops(&nothing), "5.6.0-30 6.0.x 6.4.2-30");
    assert_eq!(nothing.missing, ["6.0.x", "6.4.2-30"]);
    let all = ask("5.6.0-30", "6.4.2-30", &["6.0.20-97", "6.4.2-30"]);
    assert_eq!(stops(&all), "5.6.0-30 6.0.20-97 6.4.2-30");
    assert!(all.missing.is_empty());
    assert!(all.hops.iter().all(|hop| hop.status == Status::Historical && !hop.source.is_empty()));
    assert_eq!(stops(&ask("5.6", "6.4.2", &["6.4.2-30"])), "5.6 6.0.x 6.4.2");
    assert_eq!(ask("5.6", "6.4.2", &["6.4.2-30"]).missing, ["6.0.x"]);
}

#[test]
fn a_question_without_builds_is_answered_where_all_answers_agree() {
    let direct = [
        ("7.4.2", "7.4.6"),
        ("7.4", "7.8"),
        ("6.4.2-30", "8.0.10"),
        ("6.4", "7.22"),
        ("6.0", "7.2"),
        ("6.2", "7.4"),
        ("6.2.10", "7.8"),
        ("7.4.x", "8.2.x"),
        ("8.0", "8.2"),
        ("8.0.10-64", "8.0.16"),
        ("6.0", "6.2"),
    ];
    for (from, to) in direct {
        let answer = ask(from, to, &[]);
        assert_eq!((answer.supported, answer.hops.len()), (Some(true), 1), "{from} → {to}: {answer:?}");
    }
    let depends = [
        ("6.2", "7.8"),
        ("6.4", "8.0"),
        ("5.0.2", "5.6.0"),
        ("7.4", "7.4"),
        ("7.4.2", "7.4.2"),
        ("7.4", "7.4.6"),
        ("8.0", "8.0.16"),
        ("5.0", "5.4"),
    ];
    for (from, to) in depends {
        let answer = ask(from, to, &[]);
        assert_eq!((answer.supported, answer.hops.len()), (Some(false), 0), "{from} → {to}: {answer:?}");
        let reason = answer.reason.unwrap();
        assert!(reason.contains("depends") || reason.contains("not clear"), "{from} → {to}: {reason}");
    }
}

#[test]
fn what_is_not_supported_says_why_and_what_is_near() {
    let cases = [
        ("7.4.2-54", "8.0.22-1", "no row of the vendor's table ends at 8.0.22-1", "8.0.16 to 8.0.20|8.2.x"),
        ("7.4.2-54", "8.0.22", "no row of the vendor's table ends at 8.0.22", "8.0.16 to 8.0.20|8.2.x"),
        ("7.4.2-54", "8.1", "no row of the vendor's table ends at 8.1", "8.0.16 to 8.0.20|8.2.x"),
        (
            "6.2.2",
            "7.2.4",
            "no row of the vendor's table starts from 6.2.2",
            "6.0.20 and later 6.0.x|6.2.4 to 6.2.9",
        ),
        ("100.0.2-3572", "100.0.21-16135", "no row of the vendor's table starts from 100.0.2-3572", "8.2.x"),
        ("7.8.2", "7.4.6", "7.4.6 is below 7.8.2, and the vendor's software has no downgrade", ""),
        ("7.8", "7.4", "7.4 is below 7.8, and the vendor's software has no downgrade", ""),
        ("7.8.2-34", "7.8.2-34", "7.8.2-34 is installed already; there is nothing to do", ""),
    ];
    for (from, to, reason, nearest) in cases {
        let answer = ask(from, to, &["8.0.22-1"]);
        assert_eq!(answer.supported, Some(false), "{from} → {to}");
        assert!(answer.hops.is_empty(), "{from} → {to}");
        assert_eq!(answer.reason.as_deref(), Some(reason), "{from} → {to}");
        assert_eq!(answer.nearest.join("|"), nearest, "{from} → {to}");
    }
}

#[test]
fn a_longer_way_is_named_in_the_tables_words() {
    assert_eq!(stops(&ask("6.0.20-69", "8.2.0-46", &[])), "6.0.20-69 7.2.x 8.2.0-46");
    assert_eq!(stops(&ask("6.4.2", "8.2", &[])), "6.4.2 8.0.2 to 8.0.10 8.2");
    assert_eq!(stops(&ask("5.6", "8.2", &[])), "5.6 6.0.x 7.2.x 8.2");
    assert_eq!(stops(&ask("5.4.0-19", "6.4.2", &[])), "5.4.0-19 6.0.0 to 6.0.19 6.4.2");
    assert_eq!(stops(&ask("5.0.2-20", "5.4.14", &["5.2.2-14"])), "5.0.2-20 5.2.2-14 5.4.14");
}

#[test]
fn without_a_question_the_table_is_listed() {
    let all = ask("", "", &[]);
    assert_eq!((all.supported, all.rows.len()), (None, 29));
    let some = ask("7.4", "", &[]);
    assert_eq!(some.rows.len(), 1);
    assert!(some.rows[0].allowed);
    let to = ask("", "7.8.2-34", &[]);
    assert!(to.rows.len() > 4 && to.rows.len() < all.rows.len());
}

#[test]
fn the_schema_is_stable() {
    let json = serde_json::to_value(ask("5.6.0-30", "6.4.2-30", &[])).unwrap();
    assert_eq!(json["schema"], "ratchet.paths/1");
    assert_eq!(json["supported"], true);
    assert_eq!(json["hops"][0]["from"], "5.6.0-30");
    assert_eq!(json["hops"][0]["to"], "6.0.x");
    assert!(json["hops"][0]["source"].is_string());
    assert_eq!(json["missing"][0], "6.0.x");
    let listing = serde_json::to_value(ask("", "", &[])).unwrap();
    assert!(listing.get("supported").is_none() && listing["rows"].is_array());
    let answer = ask("7.4.2-54", "8.0.22-1", &[]);
    let json = serde_json::to_string(&answer).unwrap();
    assert_eq!(serde_json::from_str::<PathsDocument>(&json).unwrap(), answer);
}
