//! Serves a local AWS until Ctrl-C: `cargo run -p aws-local --example serve -- [ADDRESS [DATA_DIR]]`.

use aws_local::{Config, Server};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let mut config = Config::default();
    if let Some(address) = arguments.next() {
        config.listen = address.parse()?;
    }
    config.data_dir = arguments.next().map(Into::into);
    let server = Server::bind(config).await?;
    eprintln!("export AWS_ENDPOINT_URL=http://{}", server.local_addr());
    server
        .run(async { tokio::signal::ctrl_c().await.unwrap_or_default() })
        .await?;
    Ok(())
}
