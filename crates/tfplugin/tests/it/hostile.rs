//! Clients that mean ill, at the socket and in messages.

use std::io;

use tfplugin::proto::tfplugin6 as pb;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::UnixStream;

use crate::client::{Identity, Plugin};
use crate::process::{metadata, start};

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
