use super::*;
use crate::cli::render::sample;

fn plain(document: &TakeoverDocument) -> String {
    anstream::adapter::strip_str(&takeover(document)).to_string()
}

#[test]
fn who_holds_what_and_what_would_be_done_is_seen_before_anybody_consents() {
    insta::assert_snapshot!(plain(&sample::takeover()), @r"
    orders · held by somebody else
      driven last from this store: root@ops1 at epoch 2; the lease was given back, or its process is gone
    NODE  AGENT          RUN       HELD BY                EPOCH  SINCE  STEP           THEN
    1     10.0.0.1:7443  orders-0  bob@ops2 (process 41)  6      3h 0m  -              free
    2     10.0.0.2:7443  orders-0  bob@ops2 (process 41)  6      3h 0m  install 2m 0s  free
    -     10.0.0.3:7443  -         not known              -      -      -              -
      • node:1 (10.0.0.1:7443) is held by bob@ops2 (process 41) for run orders-0
      ! in the way: the agent at 10.0.0.3:7443 cannot be reached: connection refused
        do:  bring its agent back
    orders can be taken over: 2 of 3 nodes become free; nothing was changed

    What you can do now
      $ ratchet takeover orders
    ");
}

#[test]
fn a_take_over_in_part_says_which_nodes_moved_and_how_to_go_on() {
    let mut document = TakeoverDocument {
        outcome: TakeoverOutcome::Partial,
        run: Some("orders-1".to_owned()),
        epoch: Some(7),
        summary: "2 of 3 nodes of orders are taken over at epoch 7".to_owned(),
        next_commands: vec!["ratchet takeover orders --yes".to_owned()],
        ..sample::takeover()
    };
    document.nodes[0].taken = true;
    document.nodes[1].taken = true;
    document.nodes[1].goes_to = Some("orders-1".to_owned());
    insta::assert_snapshot!(plain(&document), @r"
    orders · taken over in part
      driven last from this store: root@ops1 at epoch 2; it is no longer obeyed
      open run of this store: orders-1
    NODE  AGENT          RUN       HELD BY                EPOCH  SINCE  STEP           THEN
    1     10.0.0.1:7443  orders-0  bob@ops2 (process 41)  6      3h 0m  -              taken: free
    2     10.0.0.2:7443  orders-0  bob@ops2 (process 41)  6      3h 0m  install 2m 0s  taken: stays with the run
    -     10.0.0.3:7443  -         not known              -      -      -              not taken
      ✗ agent 10.0.0.3:7443 cannot be reached: connection refused
    2 of 3 nodes of orders are taken over at epoch 7

    What you can do now
      $ ratchet takeover orders --yes
    ");
}

#[test]
fn nothing_of_others_steers_the_terminal() {
    let mut document = sample::takeover();
    document.nodes[0].claim.as_mut().unwrap().holder = "\u{1b}[2Jx".to_owned();
    document.reasons.push("\u{1b}[2J".to_owned());
    document.summary.push('\u{9b}');
    let text = plain(&document);
    assert!(!text.contains('\u{1b}') && !text.contains('\u{9b}'), "{text:?}");
}
