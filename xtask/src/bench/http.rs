//! HTTP/1.1 as far as the measurements need it: requests written before the clock starts, over connections that are kept open.

use std::io::{BufRead, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde_json::Value;

/// The region that calls are signed for.
pub(super) const REGION: &str = "us-east-1";
const ANSWER_WITHIN: Duration = Duration::from_secs(30);
const ANSWER_BYTES_MAX: u64 = 16 << 20;

/// A call of the local AWS, as bytes to send.
pub(super) fn aws(address: &str, account: &str, operation: &str, body: &Value) -> Vec<u8> {
    let body = body.to_string();
    let service = if operation.starts_with("AWSEvents") {
        "events"
    } else {
        "logs"
    };
    format!(
        "POST / HTTP/1.1\r\nhost: {address}\r\ncontent-type: application/x-amz-json-1.1\r\nx-amz-target: {operation}\r\n\
         authorization: AWS4-HMAC-SHA256 Credential={account}/20240101/{REGION}/{service}/aws4_request, SignedHeaders=host, \
         Signature=none\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    )
    .into_bytes()
}

/// A request to a server of ours, with a token, as bytes to send.
pub(super) fn with_body(
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
pub(super) struct Connection {
    address: String,
    stream: BufReader<TcpStream>,
}

impl Connection {
    pub(super) fn open(address: &str) -> Result<Self> {
        let stream = TcpStream::connect(address)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(ANSWER_WITHIN))?;
        Ok(Self {
            address: address.to_owned(),
            stream: BufReader::new(stream),
        })
    }

    /// A call of the local AWS that succeeds.
    pub(super) fn aws(&mut self, account: &str, operation: &str, body: &Value) -> Result<Value> {
        let request = aws(&self.address, account, operation, body);
        let answer = self.ok(&request).with_context(|| operation.to_owned())?;
        // Some operations answer with nothing.
        Ok(serde_json::from_slice(&answer).unwrap_or_default())
    }

    /// Sends a request; the body of its answer, which is a success.
    pub(super) fn ok(&mut self, request: &[u8]) -> Result<Vec<u8>> {
        self.stream.get_mut().write_all(request)?;
        let (status, body) = response(&mut self.stream)?;
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
