//! `ratchet package add LOCATION`.

use std::path::Path;

use proto::{Arch, Failure, Sha256, Version};

use crate::cli::context::Context;
use crate::cli::{Exit, render};

/// Arguments of `package add`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The archive: a file that every node can read under the same path, or a URL that nodes fetch
    #[arg(value_name = "FILE|URL")]
    location: String,
    /// What its SHA-256 must be; without it the archive is read to find out
    #[arg(long, value_name = "HEX")]
    sha256: Option<Sha256>,
    /// Its version, where its name does not tell: X.Y.Z-B
    #[arg(long)]
    version: Option<Version>,
    /// Its operating system, where its name does not tell, like `jammy` or `rhel9`
    #[arg(long)]
    os: Option<String>,
    /// Its architecture, where its name does not tell: amd64 or arm64
    #[arg(long)]
    arch: Option<Arch>,
}

impl Args {
    pub(super) async fn run(&self, context: &mut Context) -> Result<Exit, Failure> {
        let answer = context
            .client()
            .await?
            .add_package(
                absolute(&self.location)?,
                self.sha256.map(|digest| digest.to_string()),
                self.version.map(|version| version.to_string()),
                self.os.clone(),
                self.arch.map(|arch| arch.to_string()),
            )
            .await?;
        context.out.answer(&answer, render::package_added)?;
        Ok(Exit::Done)
    }
}

/// A relative path means something in this process's directory only; the coordinator may be elsewhere.
fn absolute(location: &str) -> Result<String, Failure> {
    if location.contains("://") {
        return Ok(location.to_owned());
    }
    let path = std::path::absolute(Path::new(location)).map_err(|error| {
        Failure::operator("usage", format!("`{location}` is not a path"), "name a file or a URL")
            .because(error.to_string())
    })?;
    Ok(path.to_string_lossy().into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_relative_path_is_made_absolute_and_a_url_is_left_alone() {
        assert!(absolute("a.tar").unwrap().starts_with('/'));
        assert!(absolute("a.tar").unwrap().ends_with("/a.tar"));
        assert_eq!(absolute("/x/a.tar").unwrap(), "/x/a.tar");
        assert_eq!(absolute("https://mirror/a.tar").unwrap(), "https://mirror/a.tar");
        assert_eq!(absolute("").unwrap_err().id, "usage");
    }
}
