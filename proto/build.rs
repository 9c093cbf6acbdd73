//! Compiles the `.proto` files in pure Rust: no `protoc` is needed on the machine.

use std::error::Error;
use std::path::PathBuf;
use std::{env, fs};

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo:rerun-if-changed=proto");
    let descriptors = protox::compile(["ratchet/v1/agent.proto", "ratchet/v1/coordinator.proto"], ["proto"])?;
    let out_dir = PathBuf::from(env::var_os("OUT_DIR").ok_or("OUT_DIR is not set")?);
    // The tests walk every message by these descriptors, so a field cannot be forgotten.
    fs::write(out_dir.join("descriptors.bin"), protox::prost::Message::encode_to_vec(&descriptors))?;
    tonic_prost_build::configure().compile_fds(descriptors)?;
    Ok(())
}
