//! All targets. A new one is a file here, and its name in the list.

use crate::Target;

macro_rules! targets {
    ($($name:ident)*) => {
        $(mod $name;)*

        /// Every target, by name.
        pub const TARGETS: &[Target] = &[$($name::TARGET.named(stringify!($name))),*];

        #[cfg(test)]
        mod short {
            $(#[test]
            fn $name() {
                crate::short::run(&super::$name::TARGET.named(stringify!($name)));
            })*
        }
    };
}

targets! {
    advisories
    agent_toml
    archive
    certificates
    checksums
    enrolment
    env_files
    hook_answer
    install_log
    machine_tables
    messages
    package_name
    preface
    product_lists
    product_pairs
    ratchet_toml
    rest_answers
    rladmin_status
    rlcheck
    rollout_toml
    run_journal
    signed_catalogue
    state_files
    step_journal
    upgrade_paths
    vendor_package
    words
}

/// Words of every TOML file.
const TOML: &[&str] = &[
    " = ",
    "[",
    "]",
    "[[",
    "]]",
    "\"",
    "\"\"\"",
    "'",
    "{",
    "}",
    ",",
    "true",
    "false",
    "#",
    "\\u0000",
    ".",
    "inf",
    "2026-11-26",
    "0x1",
    "1_000",
];

/// Words of every JSON text.
const JSON: &[&str] = &[
    "{",
    "}",
    "[",
    "]",
    ":",
    ",",
    "\"",
    "null",
    "true",
    "false",
    "\\u0000",
    "\\ud800",
    "1e308",
    "-0",
    "\"format\":1",
    "\"\"",
];
