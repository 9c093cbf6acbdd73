//! Claims and packages.

use super::field::{record, word};
use crate::{Arch, Authority, Claim, Package};

record!(Claim => Claim as "claim" { run, cluster, epoch, holder, since });
record!(Authority => Authority { run, epoch });
record!(Package => Package { sha256, version, os, arch, size, sources });
word!(Arch { Amd64, Arm64 });
