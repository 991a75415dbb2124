//! Clients that mean ill, at the socket and in messages.

use std::io;

use tfplugin::proto::tfplugin6 as pb;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::UnixStream;

use crate::client::{Identity, Plugin};
use crate::process::{metadata, rogue, start};

/// Whether a client with this certificate is served, over either version of TLS.
async fn check(plugin: &Plugin, identity: Option<&Identity>, served: bool) {
    for version in [&rustls::version::TLS13, &rustls::version::TLS12] {
        let connected = plugin.connect_as(identity, &[version]).await;
        let answered = match connected {
            // TLS 1.3 tells the client of its refusal only after the handshake.
            Ok(connection) => metadata(&connection)
                .await
                .map_err(|status| io::Error::other(status.to_string())),
            Err(error) => Err(error),
        };
        assert_eq!(answered.is_ok(), served, "{version:?}: {answered:?}");
    }
}

#[tokio::test]
async fn certificates() {
    let plugin = start();
    check(&plugin, Some(&plugin.identity), true).await;
    check(&plugin, None, false).await;
    check(&plugin, Some(&Identity::new().unwrap()), false).await;
    // The right certificate shown by someone who does not have its key.
    let thief = Identity::with_key_of(&plugin.identity, &Identity::new().unwrap());
    check(&plugin, Some(&thief), false).await;
    // After all of that, the right client is still served.
    check(&plugin, Some(&plugin.identity), true).await;
}

#[tokio::test]
async fn garbage_before_tls() {
    let plugin = start();
    for bytes in [
        &b"GET / HTTP/1.1\r\n\r\n"[..],
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        &[0; 4096],
        &[0x16, 3, 1, 0xff, 0xff],
    ] {
        let mut stream = UnixStream::connect(&plugin.socket).await.unwrap();
        stream.write_all(bytes).await.unwrap();
        stream.shutdown().await.unwrap();
        let mut answer = Vec::new();
        // Whatever comes back, the connection ends; the program does not.
        let _ = stream.read_to_end(&mut answer).await;
    }
    let connection = plugin.connect().await.unwrap();
    assert_eq!(metadata(&connection).await.unwrap().resources.len(), 1);
}

#[tokio::test]
async fn hostile_values() {
    let plugin = start();
    let connection = plugin.connect().await.unwrap();
    let deep = [vec![0x91; 100_000], vec![0xc0]].concat();
    let deep_json = "[".repeat(100_000);
    let cases: [(&str, Vec<u8>, Vec<u8>); 9] = [
        ("nothing", vec![], vec![]),
        ("ends early", vec![0x84], vec![]),
        ("a giant array", vec![0xdd, 0xff, 0xff, 0xff, 0xff], vec![]),
        ("a giant map", vec![0xdf, 0xff, 0xff, 0xff, 0xff], vec![]),
        (
            "a giant string",
            vec![0x81, 0xa4, b'n', b'a', b'm', b'e', 0xdb, 0xff, 0xff, 0xff, 0xff],
            vec![],
        ),
        (
            "a giant extension",
            vec![0xc9, 0xff, 0xff, 0xff, 0xff, 12],
            vec![],
        ),
        ("deep msgpack", deep, vec![]),
        ("deep JSON", vec![], deep_json.into_bytes()),
        ("JSON of another shape", vec![], b"{\"name\":[1]}".to_vec()),
    ];
    for (name, msgpack, json) in cases {
        let request = pb::validate_resource_config::Request {
            type_name: "tiny_note".to_owned(),
            config: Some(pb::DynamicValue { msgpack, json }),
            client_capabilities: None,
        };
        let answered: pb::validate_resource_config::Response = connection
            .call("tfplugin6.Provider/ValidateResourceConfig", request)
            .await
            .unwrap();
        assert_eq!(
            answered.diagnostics[0].summary, "Cannot read a value that Terraform sent",
            "{name}"
        );
    }
    assert_eq!(metadata(&connection).await.unwrap().resources.len(), 1);
}

/// The type of a list of objects of a thousand attributes.
fn wide() -> String {
    let attributes: Vec<String> = (0..1000).map(|n| format!(r#""a{n}":"bool""#)).collect();
    format!(r#"["list",["object",{{{}}}]]"#, attributes.join(","))
}

/// So many of these objects, none of which says anything.
fn objects(count: u16) -> Vec<u8> {
    let empty = vec![0x80; count.into()];
    typed(&wide(), &[&[0xdc], &count.to_be_bytes()[..], &empty].concat())
}

/// The same in JSON.
fn objects_json(count: usize) -> Vec<u8> {
    let (ty, empty) = (wide(), vec!["{}"; count].join(","));
    format!(r#"{{"load":{{"type":{ty},"value":[{empty}]}}}}"#).into_bytes()
}

/// A byte can be an object of a thousand attributes: what a message unfolds to is bounded, not only its bytes.
#[tokio::test]
async fn values_that_unfold() {
    let plugin = Plugin::start(&rogue(), [("TF_LOG", "off")]).unwrap();
    let connection = plugin.connect().await.unwrap();
    let bomb = |load: Vec<u8>| [&[0x81, 0xa4], &b"load"[..], &load].concat();
    let parts = vec![r#""bool""#; 2_000_001].join(",");
    let large = typed(&format!(r#"["tuple",[{parts}]]"#), &[0xc0]);
    let much = format!("[{}0]", "0,".repeat(2_000_000)).into_bytes();
    let all: [(&str, Vec<u8>, Vec<u8>, bool); 6] = [
        ("few objects", bomb(objects(10)), vec![], true),
        ("many objects", bomb(objects(3000)), vec![], false),
        ("few objects in JSON", vec![], objects_json(10), true),
        ("many objects in JSON", vec![], objects_json(3000), false),
        ("much JSON", vec![], much, false),
        ("a large type", bomb(large), vec![], false),
    ];
    for (name, msgpack, json, taken) in all {
        let request = pb::validate_resource_config::Request {
            type_name: "rogue_bomb".to_owned(),
            config: Some(pb::DynamicValue { msgpack, json }),
            client_capabilities: None,
        };
        let answered: pb::validate_resource_config::Response = connection
            .call("tfplugin6.Provider/ValidateResourceConfig", request)
            .await
            .unwrap();
        let refused = answered
            .diagnostics
            .iter()
            .any(|one| one.detail.contains("a message holds more than 2000000 values"));
        assert_eq!(
            (refused, answered.diagnostics.is_empty()),
            (!taken, taken),
            "{name}"
        );
    }
}

/// Arguments of a function come in any number, and are one message together.
#[tokio::test]
async fn arguments_that_unfold() {
    let plugin = Plugin::start(&rogue(), [("TF_LOG", "off")]).unwrap();
    let connection = plugin.connect().await.unwrap();
    for (count, taken) in [(1, true), (30, false)] {
        let argument = pb::DynamicValue {
            msgpack: objects(100),
            json: Vec::new(),
        };
        let request = pb::call_function::Request {
            name: "count".to_owned(),
            arguments: vec![argument; count],
        };
        let called: pb::call_function::Response = connection
            .call("tfplugin6.Provider/CallFunction", request)
            .await
            .unwrap();
        assert_eq!(called.error.is_none(), taken, "{:?}", called.error);
    }
}

/// A value of dynamic type: its type as JSON, then the value.
fn typed(ty: &str, value: &[u8]) -> Vec<u8> {
    let size = u32::try_from(ty.len()).unwrap().to_be_bytes();
    [&[0x92, 0xc6], &size[..], ty.as_bytes(), value].concat()
}

/// Values are far larger than gRPC's default limit of 4 MiB, both ways.
#[tokio::test]
async fn large_messages() {
    let plugin = start();
    let connection = plugin.connect().await.unwrap();
    let text = "x".repeat(48 << 20);
    let value = serde_json::json!({ "name": "a", "text": text, "id": null, "size": null })
        .to_string()
        .into_bytes();
    let config = Some(pb::DynamicValue {
        msgpack: Vec::new(),
        json: value,
    });
    let request = pb::plan_resource_change::Request {
        type_name: "tiny_note".to_owned(),
        prior_state: Some(pb::DynamicValue {
            msgpack: vec![0xc0],
            json: Vec::new(),
        }),
        proposed_new_state: config.clone(),
        config,
        ..Default::default()
    };
    let planned: pb::plan_resource_change::Response = connection
        .call("tfplugin6.Provider/PlanResourceChange", request)
        .await
        .unwrap();
    assert!(planned.diagnostics.is_empty());
    assert!(planned.planned_state.unwrap().msgpack.len() > 48 << 20);
}

/// A stored number that its Rust type cannot hold fails the plan of an update, as it would fail the update.
#[tokio::test]
async fn a_prior_state_that_cannot_be_read_is_no_new_object() {
    let plugin = start();
    let connection = plugin.connect().await.unwrap();
    let value = |size: &serde_json::Value| {
        let value = serde_json::json!({ "name": "a", "text": "b", "id": "a", "size": size });
        Some(pb::DynamicValue {
            msgpack: Vec::new(),
            json: value.to_string().into_bytes(),
        })
    };
    let null = serde_json::Value::Null;
    let request = pb::plan_resource_change::Request {
        type_name: "tiny_note".to_owned(),
        prior_state: value(&serde_json::json!(1e30)),
        proposed_new_state: value(&null),
        config: value(&null),
        ..Default::default()
    };
    let planned: pb::plan_resource_change::Response = connection
        .call("tfplugin6.Provider/PlanResourceChange", request)
        .await
        .unwrap();
    let refused: Vec<&str> = planned
        .diagnostics
        .iter()
        .map(|one| one.summary.as_str())
        .collect();
    assert_eq!(refused, ["Invalid value"]);
}
