//! A line of the journal: the checksum of its JSON in eight digits, a space, the JSON.

/// Appends a line with this JSON, which comes in pieces.
pub(super) fn append(lines: &mut Vec<u8>, json: [&[u8]; 3]) {
    let start = lines.len();
    lines.extend_from_slice(b"00000000 ");
    for piece in json {
        lines.extend_from_slice(piece);
    }
    let sum = format!("{:08x}", crc32fast::hash(&lines[start + 9..]));
    lines[start..start + 8].copy_from_slice(sum.as_bytes());
    lines.push(b'\n');
}

/// The JSON of a line; none where the line is not what was written.
pub(super) fn json(line: &[u8]) -> Option<&[u8]> {
    let (sum, json) = line.strip_suffix(b"\n")?.split_at_checked(9)?;
    let wanted = format!("{:08x} ", crc32fast::hash(json));
    (sum == wanted.as_bytes()).then_some(json)
}
