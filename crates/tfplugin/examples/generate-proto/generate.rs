//! Turns `proto/` into Rust, without `protoc`.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// The files of the contract, and the module that each becomes.
const FILES: [(&str, &str); 3] = [
    ("tfplugin6.proto", "tfplugin6"),
    ("plugin.proto", "plugin"),
    ("health.proto", "grpc.health.v1"),
];

/// Where the `.proto` files are.
pub(crate) fn source() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../proto")
}

/// Where the generated code is kept.
pub(crate) fn target() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src/proto")
}

/// The descriptors of the contract.
pub(crate) fn descriptors(folder: &Path, files: &[&str]) -> io::Result<tonic_prost_build::FileDescriptorSet> {
    protox::compile(files, [folder]).map_err(io::Error::other)
}

/// The generated files: name and text.
pub(crate) fn generate() -> io::Result<Vec<(String, String)>> {
    let names: Vec<&str> = FILES.iter().map(|(name, _)| *name).collect();
    let out = tempfile::tempdir()?;
    tonic_prost_build::configure()
        .build_client(false)
        .build_transport(false)
        .btree_map(".")
        .generate_default_stubs(true)
        .disable_comments(["."])
        .out_dir(out.path())
        .compile_fds(descriptors(&source(), &names)?)?;
    let read = |(_, module): &(&str, &str)| {
        let name = format!("{module}.rs");
        let text = fs::read_to_string(out.path().join(&name))?;
        Ok((name, text))
    };
    FILES.iter().map(read).collect()
}
