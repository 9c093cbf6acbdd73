use jiff::SignedDuration;
use proto::{Disk, DiskUse, OperatingSystem, Probe, Rlcheck, Room, Version};

use super::{Case, Verdict, World, spoil_each, worst};

fn failed() -> Rlcheck {
    Rlcheck { passed: false, tests: Vec::new(), failures: vec!["verify_services".to_owned()] }
}

#[test]
fn what_each_node_says_of_itself() {
    let cases: &[Case] = &[
        ("rlcheck", Verdict::Block, |world| world.snapshot.facts(1).rlcheck = Some(Probe::Known(failed()))),
        ("rlcheck", Verdict::Block, |world| {
            let lying = Rlcheck { passed: true, ..failed() };
            world.snapshot.facts(1).rlcheck = Some(Probe::Known(lying));
        }),
        ("rlcheck", Verdict::CannotTell, |world| world.snapshot.facts(1).rlcheck = None),
        ("rlcheck", Verdict::CannotTell, |world| {
            world.snapshot.facts(1).rlcheck = Some(Probe::Unknown("timed out".to_owned()));
        }),
        ("versions", Verdict::CannotTell, |world| {
            world.snapshot.facts(1).installed = Probe::Unknown("two sources differ".to_owned());
        }),
        ("versions", Verdict::CannotTell, |world| world.snapshot.view(2).nodes[0].version = None),
        ("versions", Verdict::CannotTell, |world| {
            world.snapshot.view(2).nodes[0].version = Some(Version::new(7, 4, 2, 53));
        }),
        ("platform", Verdict::Block, |world| {
            let os = OperatingSystem { name: "Ubuntu 24.04".to_owned(), token: None };
            world.snapshot.facts(0).os = Probe::Known(os);
        }),
        ("platform", Verdict::CannotTell, |world| {
            world.snapshot.facts(0).os = Probe::Unknown("none".to_owned())
        }),
        ("platform", Verdict::CannotTell, |world| {
            world.snapshot.facts(0).arch = Probe::Unknown("none".to_owned())
        }),
        ("installation", Verdict::CannotTell, |world| {
            world.snapshot.facts(0).installation = Probe::Unknown("no such file".to_owned());
        }),
        ("installation", Verdict::Warn, |world| {
            let Probe::Known(installation) = &mut world.snapshot.facts(0).installation else { panic!() };
            installation.install_dir = "/srv/redislabs".to_owned();
        }),
        ("install-args", Verdict::Block, |world| {
            (0..3).for_each(|index| {
                world.snapshot.facts(index).install_args = vec!["-y".to_owned(), "-i".to_owned()]
            });
        }),
        ("install-args", Verdict::Block, |world| {
            world.snapshot.facts(1).install_args = vec!["-c".to_owned(), "/etc/ratchet/answers".to_owned()];
        }),
        ("replication", Verdict::Warn, |world| world.snapshot.view(0).databases[0].replicated = Some(false)),
        ("replication", Verdict::Warn, |world| world.snapshot.view(0).databases[0].replicated = None),
        ("clocks", Verdict::Block, |world| {
            world.snapshot.facts(1).observed_at += SignedDuration::from_secs(6);
        }),
        ("clocks", Verdict::Warn, |world| {
            world.snapshot.facts(1).observed_at += SignedDuration::from_millis(1100);
        }),
        ("clocks", Verdict::Warn, |world| {
            world.snapshot.facts(1).observed_at -= SignedDuration::from_secs(5);
        }),
    ];
    spoil_each(cases);
}

#[test]
fn a_forbidden_argument_is_named() {
    let mut world = World::new();
    (0..3).for_each(|index| {
        world.snapshot.facts(index).install_args = vec!["-y".to_owned(), "--os-user=redis".to_owned()];
    });
    let findings = world.preflight();
    assert!(worst(&findings, "install-args").saw.contains("--os-user=redis"));
}

#[test]
fn a_slow_answer_is_not_a_wrong_clock() {
    let mut world = World::new();
    let late = SignedDuration::from_secs(30);
    world.snapshot.facts(1).observed_at += late;
    world.snapshot.agents[1].received_at += late;
    assert_eq!(worst(&world.preflight(), "clocks").verdict, Verdict::Pass);
}

const GIB: u64 = 1 << 30;

fn disk(purpose: DiskUse, device: u64, free: u64) -> Disk {
    let room = Probe::Known(Room { free, total: 100 * GIB });
    Disk { purpose, path: format!("/{device}"), device, room }
}

/// The verdict on a node with these file systems, for an archive of 1 GiB and a margin of 5 GiB each.
fn disk_verdict(disks: Vec<Disk>) -> Verdict {
    let mut world = World::new();
    world.snapshot.facts(1).disks = disks;
    worst(&world.preflight(), "disk").verdict
}

#[test]
fn file_systems_of_their_own_need_room_each() {
    let fits = || {
        vec![
            disk(DiskUse::Staging, 1, 7 * GIB),
            disk(DiskUse::Install, 2, 6 * GIB),
            disk(DiskUse::Var, 3, 5 * GIB + (64 << 20)),
            disk(DiskUse::Tmp, 4, 5 * GIB + (64 << 20)),
        ]
    };
    assert_eq!(disk_verdict(fits()), Verdict::Warn, "without room for the package manager's copy");
    let mut ample = fits();
    ample[0] = disk(DiskUse::Staging, 1, 8 * GIB);
    assert_eq!(disk_verdict(ample), Verdict::Pass);
    for index in 0..4 {
        let mut disks = fits();
        let Probe::Known(room) = &mut disks[index].room else { panic!() };
        room.free -= 1;
        assert_eq!(disk_verdict(disks), Verdict::Block, "{index}");
        let mut disks = fits();
        disks[index].room = Probe::Unknown("no such directory".to_owned());
        assert_eq!(disk_verdict(disks), Verdict::CannotTell, "{index}");
        let mut disks = fits();
        disks.remove(index);
        assert_eq!(disk_verdict(disks), Verdict::CannotTell, "{index}");
    }
}

#[test]
fn uses_of_one_file_system_are_added_up() {
    let shared = |free| {
        [DiskUse::Staging, DiskUse::Install, DiskUse::Var, DiskUse::Tmp]
            .map(|purpose| disk(purpose, 1, free))
            .to_vec()
    };
    assert_eq!(disk_verdict(shared(9 * GIB + (128 << 20))), Verdict::Pass);
    assert_eq!(disk_verdict(shared(8 * GIB + (128 << 20))), Verdict::Warn);
    assert_eq!(disk_verdict(shared(8 * GIB + (128 << 20) - 1)), Verdict::Block);
}
