//! HTTP/1.1 as far as measurements and chaos need it: requests written before the clock starts, over connections that are kept open.

use std::io::{BufRead, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde_json::Value;

/// The region that calls are signed for.
pub(crate) const REGION: &str = "us-east-1";
const ANSWER_WITHIN: Duration = Duration::from_secs(30);
const ANSWER_BYTES_MAX: u64 = 16 << 20;

/// A call of the local AWS, as bytes to send.
pub(crate) fn aws(address: &str, account: &str, operation: &str, body: &Value) -> Vec<u8> {
    aws_in(address, (account, REGION), operation, body)
}

/// The same in a region.
fn aws_in(address: &str, (account, region): (&str, &str), operation: &str, body: &Value) -> Vec<u8> {
    let body = body.to_string();
    let service = if operation.starts_with("AWSEvents") {
        "events"
    } else {
        "logs"
    };
    format!(
        "POST / HTTP/1.1\r\nhost: {address}\r\ncontent-type: application/x-amz-json-1.1\r\nx-amz-target: {operation}\r\n\
         authorization: AWS4-HMAC-SHA256 Credential={account}/20240101/{region}/{service}/aws4_request, SignedHeaders=host, \
         Signature=none\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    )
    .into_bytes()
}

/// A request to a server of ours, with a token, as bytes to send.
pub(crate) fn with_body(
    host: &str,
    token: &str,
    (method, path): (&str, &str),
    content_type: &str,
    body: &str,
) -> Vec<u8> {
    let length = body.len();
    format!(
        "{method} {path} HTTP/1.1\r\nhost: {host}\r\nauthorization: Bearer {token}\r\ncontent-type: {content_type}\r\n\
         content-length: {length}\r\n\r\n{body}"
    )
    .into_bytes()
}

/// A connection that is kept open.
pub(crate) struct Connection {
    address: String,
    stream: BufReader<TcpStream>,
}

impl Connection {
    pub(crate) fn open(address: &str) -> Result<Self> {
        let stream = TcpStream::connect(address)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(ANSWER_WITHIN))?;
        Ok(Self {
            address: address.to_owned(),
            stream: BufReader::new(stream),
        })
    }

    /// A call of the local AWS that succeeds.
    pub(crate) fn aws(&mut self, account: &str, operation: &str, body: &Value) -> Result<Value> {
        self.aws_in((account, REGION), operation, body)
    }

    /// The same in a region.
    pub(crate) fn aws_in(&mut self, place: (&str, &str), operation: &str, body: &Value) -> Result<Value> {
        let request = aws_in(&self.address, place, operation, body);
        let answer = self.ok(&request).with_context(|| operation.to_owned())?;
        // Some operations answer with nothing.
        Ok(serde_json::from_slice(&answer).unwrap_or_default())
    }

    /// How often the local AWS has got this operation since its start.
    pub(crate) fn calls(&mut self, operation: &str) -> Result<u64> {
        let request = format!("GET /_local/calls HTTP/1.1\r\nhost: {}\r\n\r\n", self.address);
        let list: Value = serde_json::from_slice(&self.ok(request.as_bytes())?)?;
        let rows = list["calls"].as_array().context("no calls")?;
        let of = rows.iter().filter(|row| {
            let name = row["operation"].as_str().unwrap_or_default();
            name.rsplit(':').next() == Some(operation)
        });
        Ok(of.filter_map(|row| row["count"].as_u64()).sum())
    }

    /// Empties the local AWS.
    pub(crate) fn reset(&mut self) -> Result<()> {
        let request = format!(
            "POST /_local/reset HTTP/1.1\r\nhost: {}\r\ncontent-length: 0\r\n\r\n",
            self.address
        );
        self.ok(request.as_bytes()).map(drop)
    }

    /// Has calls of the local AWS go wrong.
    pub(crate) fn add_fault(&mut self, fault: &Value) -> Result<()> {
        let body = fault.to_string();
        let request = format!(
            "POST /_local/faults HTTP/1.1\r\nhost: {}\r\ncontent-length: {}\r\n\r\n{body}",
            self.address,
            body.len()
        );
        self.ok(request.as_bytes()).map(drop)
    }

    /// Has none go wrong any more; how many did.
    pub(crate) fn end_faults(&mut self) -> Result<usize> {
        let request = |method| {
            format!(
                "{method} /_local/faults HTTP/1.1\r\nhost: {}\r\n\r\n",
                self.address
            )
        };
        let [list, delete] = ["GET", "DELETE"].map(request);
        let list: Value = serde_json::from_slice(&self.ok(list.as_bytes())?)?;
        self.ok(delete.as_bytes())?;
        let faults = list["faults"].as_array().context("no faults")?.iter();
        let hit: u64 = faults.filter_map(|fault| fault["hit"].as_u64()).sum();
        Ok(usize::try_from(hit)?)
    }

    /// Sends a request; the status and the body of its answer. `sent` is called once it is written.
    pub(crate) fn ask(&mut self, request: &[u8], sent: impl FnOnce()) -> Result<(u16, Vec<u8>)> {
        self.stream.get_mut().write_all(request)?;
        sent();
        response(&mut self.stream)
    }

    /// Sends a request; the body of its answer, which is a success.
    pub(crate) fn ok(&mut self, request: &[u8]) -> Result<Vec<u8>> {
        let (status, body) = self.ask(request, || {})?;
        ensure!(
            (200..300).contains(&status),
            "status {status}: {}",
            String::from_utf8_lossy(&body)
        );
        Ok(body)
    }
}

/// The status and the body of a response.
fn response(stream: &mut impl BufRead) -> Result<(u16, Vec<u8>)> {
    let mut line = String::new();
    stream.read_line(&mut line)?;
    let status = line.split(' ').nth(1).and_then(|status| status.parse().ok());
    let status = status.with_context(|| format!("no status in {line:?}"))?;
    let mut length = None;
    loop {
        line.clear();
        ensure!(stream.read_line(&mut line)? > 0, "the response ends in its head");
        if line.trim_end().is_empty() {
            break;
        }
        if let Some((name, value)) = line.split_once(':')
            && name.eq_ignore_ascii_case("content-length")
        {
            length = Some(value.trim().parse::<u64>()?);
        }
    }
    let length = length.context("a response without content-length")?;
    ensure!(length <= ANSWER_BYTES_MAX, "a response of {length} bytes");
    let mut body = Vec::new();
    stream.take(length).read_to_end(&mut body)?;
    ensure!(body.len() as u64 == length, "the response ends in its body");
    Ok((status, body))
}

#[cfg(test)]
mod tests {
    use super::response;

    #[test]
    fn responses_are_read_one_after_the_other() {
        let mut stream = &b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nx: y\r\n\r\n{}HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n"[..];
        assert_eq!(response(&mut stream).unwrap(), (200, b"{}".to_vec()));
        assert_eq!(response(&mut stream).unwrap(), (400, Vec::new()));
        assert!(response(&mut stream).is_err(), "the connection is closed");
    }

    #[test]
    fn a_response_that_is_cut_short_is_an_error() {
        let check = |text: &str| assert!(response(&mut text.as_bytes()).is_err(), "{text:?}");
        check("HTTP/1.1 200 OK\r\n");
        check("HTTP/1.1 200 OK\r\n\r\n{}");
        check("HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\n{}");
        check("nonsense\r\ncontent-length: 0\r\n\r\n");
        check("HTTP/1.1 200 OK\r\ncontent-length: 99999999999\r\n\r\n");
    }
}
