//! Any facts of a node.

use proptest::collection::{btree_map, vec};
use proptest::option;
use proptest::prelude::*;

use super::{
    arch, claim, cluster_view, epoch, memory, node_halt, node_uid, setting, sha256, step_id, step_kind, text,
    texts, timestamp, version,
};
use crate::*;

fn probe<T: std::fmt::Debug>(known: impl Strategy<Value = T>) -> impl Strategy<Value = Probe<T>> {
    prop_oneof![
        3 => known.prop_map(Probe::Known),
        1 => text().prop_map(Probe::Unknown),
        1 => text().prop_map(Probe::Unsupported),
    ]
}

prop_compose! {
    pub(crate) fn installed_version()(version in version(), read_from in texts()) -> InstalledVersion {
        InstalledVersion { version, read_from }
    }
}

prop_compose! {
    fn installation()(
        install_dir in text(), config_dir in text(), var_dir in text(), user in text(), group in text(),
        read_from in text(),
    ) -> Installation {
        Installation { install_dir, config_dir, var_dir, user, group, read_from }
    }
}

prop_compose! {
    fn operating_system()(name in text(), token in option::of(text().prop_map(OsToken))) -> OperatingSystem {
        OperatingSystem { name, token }
    }
}

prop_compose! {
    pub(crate) fn rlcheck()(passed in any::<bool>(), tests in texts(), failures in texts()) -> Rlcheck {
        Rlcheck { passed, tests, failures }
    }
}

fn disk_use() -> impl Strategy<Value = DiskUse> {
    prop_oneof![Just(DiskUse::Staging), Just(DiskUse::Install), Just(DiskUse::Var), Just(DiskUse::Tmp)]
}

prop_compose! {
    fn room()(free in any::<u64>(), total in any::<u64>()) -> Room {
        Room { free, total }
    }
}

prop_compose! {
    fn disk()(purpose in disk_use(), path in text(), device in any::<u64>(), room in probe(room())) -> Disk {
        Disk { purpose, path, device, room }
    }
}

prop_compose! {
    fn system()(
        kernel in text(), overcommit_memory in probe(text()), transparent_hugepage in probe(text()),
        somaxconn in probe(text()), local_port_range in probe(text()), swap_total in probe(any::<u64>()),
        memory_total in probe(any::<u64>()), openssl in probe(text()),
        listening_ports in probe(vec(any::<u16>(), 0..3)),
    ) -> System {
        System {
            kernel, overcommit_memory, transparent_hugepage, somaxconn, local_port_range, swap_total, memory_total,
            openssl, listening_ports,
        }
    }
}

fn runner() -> impl Strategy<Value = RunnerKind> {
    prop_oneof![Just(RunnerKind::Systemd), Just(RunnerKind::Process)]
}

prop_compose! {
    fn held_package()(sha256 in sha256(), size in any::<u64>(), version in version()) -> HeldPackage {
        HeldPackage { sha256, size, version }
    }
}

prop_compose! {
    fn source()(url in text(), size in probe(any::<Option<u64>>())) -> SourceFacts {
        SourceFacts { url, size }
    }
}

prop_compose! {
    fn step_in_flight()(step in step_id(), kind in step_kind(), since in timestamp()) -> StepInFlight {
        StepInFlight { step, kind, since }
    }
}

pub(crate) fn fact() -> impl Strategy<Value = Fact> {
    prop::sample::select(Fact::ALL)
}

fn fact_value() -> impl Strategy<Value = FactValue> {
    prop_oneof![
        any::<bool>().prop_map(FactValue::Flag),
        any::<u64>().prop_map(FactValue::Number),
        text().prop_map(FactValue::Text),
        texts().prop_map(FactValue::Lines),
        vec(btree_map(text(), text(), 0..3), 0..3).prop_map(FactValue::Rows),
    ]
}

fn details() -> impl Strategy<Value = Details> {
    btree_map(fact(), probe(fact_value()), 0..3).prop_map(Details)
}

prop_compose! {
    /// Facts in which the product has not been asked yet; `node_facts` adds its answers.
    fn facts_of_machine()(
        observed_at in timestamp(), agent_version in text(), boot_id in text(), hostname in text(),
        disks in vec(disk(), 0..3), system in system(), install_args in texts(), runner in runner(),
        packages in vec(held_package(), 0..3), sources in vec(source(), 0..3), claim in option::of(claim()),
    ) -> NodeFacts {
        NodeFacts {
            observed_at, agent_version, boot_id, hostname, disks, system, install_args, runner, packages, sources,
            claim, ..sample::healthy_facts(NodeUid(1), 1, observed_at)
        }
    }
}

prop_compose! {
    pub(crate) fn node_facts()(
        machine in facts_of_machine(), node_uid in probe(node_uid()), cluster_name in probe(text()),
        installed in probe(installed_version()), installation in probe(installation()),
        (os, arch) in (probe(operating_system()), probe(arch())), view in probe(cluster_view()),
        running_actions in probe(texts()), snapshots in probe(texts()), upgrade_mode in probe(any::<bool>()),
        rlcheck in option::of(probe(rlcheck())),
        (highest_epoch, current_step) in (epoch(), option::of(step_in_flight())),
        halts in vec(node_halt(), 0..3),
        (memory, settings) in (memory(), btree_map(setting(), probe(any::<u64>()), 0..3)), details in details(),
    ) -> NodeFacts {
        NodeFacts {
            node_uid, cluster_name, installed, installation, os, arch, view, running_actions, snapshots, upgrade_mode,
            rlcheck, highest_epoch, current_step, memory, settings, details, halts, ..machine
        }
    }
}
