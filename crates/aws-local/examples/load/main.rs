//! Loads a local AWS, ours or another, and measures it from outside: `load ENDPOINT [SECONDS]`, `load ENDPOINT hostile`.
//!
//! Prints one line of JSON for each work: events a second accepted and found in the log group, and milliseconds from
//! the start of a put until the event is read from the log group; of hostile inputs, how long each takes and how long
//! another client waits meanwhile. It speaks HTTP and knows no server's insides.

mod aws;
mod hostile;
mod inputs;
mod measure;
mod tail;
mod work;

use std::io::Write as _;
use std::sync::Arc;
use std::time::Duration;

use aws::Aws;
use work::WORKS;

type Failure = Box<dyn std::error::Error + Send + Sync>;

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let mut arguments = std::env::args().skip(1);
    let endpoint = arguments
        .next()
        .ok_or("name the endpoint, such as http://127.0.0.1:4566")?;
    let aws = Aws::new(&endpoint)?;
    let more = arguments.next();
    if more.as_deref() == Some("hostile") {
        for input in inputs::all() {
            writeln!(std::io::stdout(), "{}", hostile::measure(&aws, &input).await?)?;
        }
        return Ok(());
    }
    let seconds = more.map_or(Ok(3), |text| text.parse())?;
    for work in &WORKS {
        let ready = Arc::new(work::prepare(&aws, work).await?);
        let report = measure::run(&aws, &ready, Duration::from_secs(seconds)).await?;
        writeln!(std::io::stdout(), "{report}")?;
    }
    Ok(())
}
