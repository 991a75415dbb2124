//! The generated code is fresh, and the contract is the one that Terraform's own modules hold.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use prost_types::field_descriptor_proto::{Label, Type};
use prost_types::{DescriptorProto, EnumDescriptorProto, FieldDescriptorProto, FileDescriptorProto};

#[path = "../../examples/generate-proto/generate.rs"]
mod generate;

#[test]
fn generated_code_is_fresh() {
    for (name, text) in generate::generate().unwrap() {
        let kept = std::fs::read_to_string(generate::target().join(&name)).unwrap();
        assert!(
            kept == text,
            "{name} is stale: run `cargo run -p tfplugin --example generate-proto`"
        );
    }
}

/// Where Go keeps its modules.
fn module_cache() -> PathBuf {
    let home = || Path::new(&std::env::var_os("HOME").unwrap()).join("go/pkg/mod");
    std::env::var_os("GOMODCACHE").map_or_else(home, PathBuf::from)
}

#[test]
fn contract_is_the_modules() {
    check(
        &["tfplugin6.proto"],
        "github.com/hashicorp/terraform-plugin-go@v0.31.0",
        "tfprotov6/internal/tfplugin6",
        &["tfplugin6.proto"],
    );
    check(
        &["plugin.proto"],
        "github.com/hashicorp/go-plugin@v1.7.0",
        "internal/plugin",
        &["grpc_broker.proto", "grpc_controller.proto", "grpc_stdio.proto"],
    );
}

/// Compares files of ours with those in a folder of a Go module. A module that is not there is left out, but not in CI.
fn check(ours: &[&str], module: &str, folder: &str, theirs: &[&str]) {
    let folder = module_cache().join(module).join(folder);
    if !folder.is_dir() {
        let missing = format!("{module} is not in Go's module cache: get it with `go mod download {module}`");
        assert!(std::env::var_os("CI").is_none_or(|ci| ci != "true"), "{missing}");
        // Not by way of a macro, whose output a passing test keeps to itself.
        let text = format!("left out: {ours:?} is compared with nothing, {missing}\n");
        std::io::stderr().write_all(text.as_bytes()).unwrap();
        return;
    }
    let folder = &folder;
    let ours = describe(&generate::descriptors(&generate::source(), ours).unwrap().file);
    let mut all = BTreeMap::new();
    // The modules' files are compiled one by one: they declare the same package without importing each other.
    for file in theirs {
        all.extend(describe(&generate::descriptors(folder, &[*file]).unwrap().file));
    }
    assert!(ours.len() > 8);
    for (name, line) in &all {
        assert_eq!(ours.get(name), Some(line), "{name}");
    }
    assert_eq!(ours.len(), all.len(), "ours has more");
}

/// Each message field, enum value and method, by full name: comments, options and order aside.
fn describe(files: &[FileDescriptorProto]) -> BTreeMap<String, String> {
    let mut all = BTreeMap::new();
    for file in files.iter().filter(|file| !file.package().starts_with("google")) {
        file.message_type
            .iter()
            .for_each(|one| message(&mut all, file.package(), one));
        file.enum_type
            .iter()
            .for_each(|one| enumeration(&mut all, file.package(), one));
        for service in &file.service {
            for method in &service.method {
                let streams = (method.client_streaming(), method.server_streaming());
                let line = format!("{} -> {} {streams:?}", method.input_type(), method.output_type());
                all.insert(
                    format!("{}.{}.{}", file.package(), service.name(), method.name()),
                    line,
                );
            }
        }
    }
    all
}

fn message(all: &mut BTreeMap<String, String>, scope: &str, one: &DescriptorProto) {
    let name = format!("{scope}.{}", one.name());
    all.insert(name.clone(), "message".to_owned());
    let union = |field: &FieldDescriptorProto| {
        let index = field.oneof_index.and_then(|index| usize::try_from(index).ok());
        index
            .filter(|_| !field.proto3_optional())
            .map(|index| one.oneof_decl[index].name().to_owned())
    };
    for field in &one.field {
        let kind = (
            Type::try_from(field.r#type.unwrap_or_default()),
            Label::try_from(field.label.unwrap_or_default()),
        );
        let line = format!(
            "{} {kind:?} {} {:?} {}",
            field.number(),
            field.type_name(),
            union(field),
            field.proto3_optional()
        );
        all.insert(format!("{name}.{}", field.name()), line);
    }
    one.nested_type
        .iter()
        .for_each(|inner| message(all, &name, inner));
    one.enum_type
        .iter()
        .for_each(|inner| enumeration(all, &name, inner));
}

fn enumeration(all: &mut BTreeMap<String, String>, scope: &str, one: &EnumDescriptorProto) {
    for value in &one.value {
        all.insert(
            format!("{scope}.{}.{}", one.name(), value.name()),
            value.number().to_string(),
        );
    }
}
