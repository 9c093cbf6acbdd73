//! Every target under libFuzzer; `RATCHET_FUZZ_TARGET` says which.

#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;

static TARGET: LazyLock<&'static fuzz::Target> = LazyLock::new(|| {
    let name = std::env::var("RATCHET_FUZZ_TARGET").unwrap_or_default();
    fuzz::target(&name).unwrap_or_else(|| panic!("RATCHET_FUZZ_TARGET=`{name}` is no target"))
});

fuzz_target!(|bytes: &[u8]| (TARGET.run)(bytes));
