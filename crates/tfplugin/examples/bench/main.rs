//! Measures a provider's program from Terraform's side:
//! `bench PROGRAM [RESOURCE CONFIG_JSON PROVIDER_CONFIG_JSON]`, for example
//! `bench target/release/examples/tiny tiny_note '{"name":"a"}' '{"folder":"/tmp"}'`.
//!
//! Prints one line of JSON: milliseconds to the handshake, to the schema and from Shutdown to the program's end (best of
//! ten starts), resident memory after the schema, plans a second, one after the other, and what memory these plans left
//! behind. The configurations are the whole objects as JSON: an attribute that is left out is null.

mod client;

use std::io::Write as _;
use std::path::Path;
use std::time::{Duration, Instant};

use client::{Connection, Plugin};
use serde_json::{Value as Json, json};
use tfplugin::proto::tfplugin6 as pb;

type Failure = Box<dyn std::error::Error>;

const STARTS: usize = 10;
const PLANS: u32 = 20_000;

fn main() -> Result<(), Failure> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let program = arguments.first().ok_or("name the provider's program")?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let report = runtime.block_on(measure(Path::new(program), &arguments[1..]))?;
    writeln!(std::io::stdout(), "{report}")?;
    Ok(())
}

async fn measure(program: &Path, arguments: &[String]) -> Result<Json, Failure> {
    let mut handshake = Duration::MAX;
    let mut schema = Duration::MAX;
    let mut stop = Duration::MAX;
    let mut resident_kib = 0;
    for _ in 0..STARTS {
        let mut plugin = start(program)?;
        let begun = Instant::now();
        handshake = handshake.min(plugin.handshake);
        let connection = plugin.connect().await?;
        get_schema(&connection).await?;
        schema = schema.min(plugin.handshake + begun.elapsed());
        resident_kib = resident_kib.max(resident(plugin.child.id())?);
        let begun = Instant::now();
        connection.shutdown().await?;
        drop(connection);
        // On another thread: this one still has to close the connection.
        tokio::task::spawn_blocking(move || plugin.child.wait()).await??;
        stop = stop.min(begun.elapsed());
    }
    let mut report = json!({
        "handshake_ms": millis(handshake),
        "schema_ms": millis(schema),
        "stop_ms": millis(stop),
        "resident_kib_after_schema": resident_kib,
        "program_bytes": std::fs::metadata(program)?.len(),
    });
    if let [resource, config, provider] = arguments {
        let plugin = start(program)?;
        let (rate, growth) = plans(
            &plugin,
            resource,
            &serde_json::from_str(config)?,
            &serde_json::from_str(provider)?,
        )
        .await?;
        report["plans_per_second"] = json!(rate);
        report["resident_kib_grown_by_plans"] = json!(growth);
    }
    Ok(report)
}

fn start(program: &Path) -> Result<Plugin, Failure> {
    Ok(Plugin::start(program, [("TF_LOG", "")])?)
}

fn millis(duration: Duration) -> f64 {
    (duration.as_secs_f64() * 100_000.0).round() / 100.0
}

fn resident(process: u32) -> Result<u64, Failure> {
    let status = std::fs::read_to_string(format!("/proc/{process}/status"))?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:"))
        .ok_or("no VmRSS")?;
    Ok(line.trim().trim_end_matches(" kB").parse()?)
}

async fn get_schema(connection: &Connection) -> Result<pb::get_provider_schema::Response, tonic::Status> {
    connection
        .call(
            "tfplugin6.Provider/GetProviderSchema",
            pb::get_provider_schema::Request {},
        )
        .await
}

async fn plans(
    plugin: &Plugin,
    resource: &str,
    config: &Json,
    provider: &Json,
) -> Result<(f64, u64), Failure> {
    let connection = plugin.connect().await?;
    let schema = get_schema(&connection).await?;
    let block =
        |schema: Option<&pb::Schema>| schema.and_then(|one| one.block.clone()).ok_or("no such schema");
    let provider = whole(&block(schema.provider.as_ref())?, provider);
    let request = pb::configure_provider::Request {
        terraform_version: "1.11.4".to_owned(),
        config: Some(provider),
        client_capabilities: None,
    };
    let configured: pb::configure_provider::Response = connection
        .call("tfplugin6.Provider/ConfigureProvider", request)
        .await?;
    fine(&configured.diagnostics)?;
    let config = whole(&block(schema.resource_schemas.get(resource))?, config);
    let request = pb::plan_resource_change::Request {
        type_name: resource.to_owned(),
        prior_state: Some(pb::DynamicValue {
            msgpack: vec![0xc0],
            json: Vec::new(),
        }),
        proposed_new_state: Some(config.clone()),
        config: Some(config),
        ..Default::default()
    };
    let process = plugin.child.id();
    let (mut begun, mut before) = (Instant::now(), 0);
    for round in 0..PLANS + PLANS / 10 {
        if round == PLANS / 10 {
            // The first tenth only warms up.
            before = resident(process)?;
            begun = Instant::now();
        }
        let planned: pb::plan_resource_change::Response = connection
            .call("tfplugin6.Provider/PlanResourceChange", request.clone())
            .await?;
        fine(&planned.diagnostics)?;
    }
    let rate = (f64::from(PLANS) / begun.elapsed().as_secs_f64()).round();
    Ok((rate, resident(process)?.saturating_sub(before)))
}

fn fine(diagnostics: &[pb::Diagnostic]) -> Result<(), Failure> {
    match diagnostics
        .iter()
        .find(|one| one.severity == i32::from(pb::diagnostic::Severity::Error))
    {
        Some(error) => Err(format!("{}: {}", error.summary, error.detail).into()),
        None => Ok(()),
    }
}

/// The object with a null for each attribute and block that is left out.
fn whole(block: &pb::schema::Block, json: &Json) -> pb::DynamicValue {
    let attributes = block.attributes.iter().map(|one| &one.name);
    let names = attributes.chain(block.block_types.iter().map(|one| &one.type_name));
    let all: serde_json::Map<String, Json> = names.map(|name| (name.clone(), json[name].clone())).collect();
    pb::DynamicValue {
        msgpack: Vec::new(),
        json: Json::Object(all).to_string().into_bytes(),
    }
}
