//! The generated code is fresh, and the contract is the one that Terraform's own modules hold.

use std::collections::BTreeMap;
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

/// The files of the modules, where a Go module cache holds them.
fn modules() -> Option<PathBuf> {
    let cache = std::env::var_os("GOMODCACHE").map(PathBuf::from);
    let cache = cache.or_else(|| Some(Path::new(&std::env::var_os("HOME")?).join("go/pkg/mod")))?;
    let hashicorp = cache.join("github.com/hashicorp");
    hashicorp.is_dir().then_some(hashicorp)
}

#[test]
fn contract_is_the_modules() {
    let Some(modules) = modules() else {
        eprintln!("skipped: there is no Go module cache to compare with");
        return;
    };
    let plugin = "go-plugin@v1.7.0/internal/plugin";
    check(
        &["tfplugin6.proto"],
        &modules.join("terraform-plugin-go@v0.31.0/tfprotov6/internal/tfplugin6"),
        &["tfplugin6.proto"],
    );
    check(
        &["plugin.proto"],
        &modules.join(plugin),
        &["grpc_broker.proto", "grpc_controller.proto", "grpc_stdio.proto"],
    );
}

fn check(ours: &[&str], folder: &Path, theirs: &[&str]) {
    if !folder.is_dir() {
        eprintln!("skipped: {} is not there", folder.display());
        return;
    }
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
