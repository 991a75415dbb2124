//! Request bodies that the client compressed.

use std::io::Read;

use axum::body::Bytes;
use axum::http::HeaderMap;
use axum::http::header::CONTENT_ENCODING;
use flate2::read::MultiGzDecoder;

use super::edge::BODY_BYTES_MAX;
use crate::fault::Fault;

/// The body as it was before its `Content-Encoding`, within the limit of bodies.
pub(super) fn decode(headers: &HeaderMap, body: Bytes) -> Result<Bytes, Fault> {
    let Some(encoding) = headers.get(CONTENT_ENCODING) else {
        return Ok(body);
    };
    let encoding = encoding.to_str().unwrap_or_default();
    match encoding.to_ascii_lowercase().as_str() {
        "" | "identity" => Ok(body),
        "gzip" => unzip(&body),
        _ => Err(broken(&format!("its Content-Encoding `{encoding}` is not gzip"))),
    }
}

fn unzip(body: &[u8]) -> Result<Bytes, Fault> {
    let mut out = Vec::new();
    // One byte more than a body may have, so that a longer one shows.
    let limit = u64::try_from(BODY_BYTES_MAX)
        .unwrap_or(u64::MAX)
        .saturating_add(1);
    let read = MultiGzDecoder::new(body).take(limit).read_to_end(&mut out);
    read.map_err(|_| broken("it is not gzip, as its Content-Encoding says"))?;
    if out.len() > BODY_BYTES_MAX {
        return Err(Fault {
            status: 413,
            ..Fault::new(
                "RequestEntityTooLargeException",
                "The request body is too large once it is decompressed.",
            )
        });
    }
    Ok(out.into())
}

fn broken(why: &str) -> Fault {
    Fault::new(
        "SerializationException",
        format!("The request body cannot be read: {why}."),
    )
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use flate2::Compression;
    use flate2::write::GzEncoder;

    use super::*;

    fn zip(text: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(text).unwrap();
        encoder.finish().unwrap()
    }

    #[test]
    fn bodies_are_decompressed_within_their_limit() {
        let bomb = zip(&vec![b' '; BODY_BYTES_MAX + 1]);
        let whole = zip(&vec![b' '; BODY_BYTES_MAX]);
        for (encoding, body, expected) in [
            (None, b"{}".to_vec(), Ok(2)),
            (Some("identity"), b"{}".to_vec(), Ok(2)),
            (Some("gzip"), zip(b"{}"), Ok(2)),
            (Some("GZIP"), [zip(b"{"), zip(b"}")].concat(), Ok(2)),
            (Some("gzip"), whole, Ok(BODY_BYTES_MAX)),
            (Some("gzip"), bomb, Err(413)),
            (Some("gzip"), b"{}".to_vec(), Err(400)),
            (Some("gzip"), zip(b"{}")[..10].to_vec(), Err(400)),
            (Some("br"), b"{}".to_vec(), Err(400)),
        ] {
            let mut headers = HeaderMap::new();
            if let Some(encoding) = encoding {
                headers.insert(CONTENT_ENCODING, encoding.parse().unwrap());
            }
            let found = decode(&headers, body.into());
            let found = found.map(|bytes| bytes.len()).map_err(|fault| fault.status);
            assert_eq!(found, expected, "{encoding:?}");
        }
    }
}
