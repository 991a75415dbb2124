//! The picture under `# Floors` on a module's first page: which of its children may use which. Ground first; a line is
//! one floor: names separated by single spaces, then at least two spaces, then prose.

/// The floors of a page, ground first; none if it has no picture.
pub(super) fn read(page: &str) -> Option<Vec<Vec<String>>> {
    let floors = drawn(page)?.map(floor).filter(|floor| !floor.is_empty());
    Some(floors.collect())
}

/// The lines of a page's picture, as they are; none if it has no picture.
pub(in crate::tidy) fn drawn(page: &str) -> Option<impl Iterator<Item = &str>> {
    let lines = page.lines().skip_while(|line| line.trim() != "# Floors").skip(1);
    let mut fenced = lines.take_while(|line| !line.trim_start().starts_with("# "));
    fenced.find(|line| line.trim() == "```text")?;
    Some(fenced.take_while(|line| line.trim() != "```"))
}

/// The names before the prose. The comment's own space is the only one a line may begin with: more is prose that goes on.
fn floor(line: &str) -> Vec<String> {
    let line = line.strip_prefix(' ').unwrap_or(line);
    let names = line.split_once("  ").map_or(line, |(names, _)| names);
    names
        .split_whitespace()
        .map(|name| name.trim_end_matches('/').to_owned())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::read;

    #[test]
    fn floors_are_read_from_the_page() {
        let check = |page: &str, expected: Option<&[&[&str]]>| {
            let found = read(page);
            let found: Option<Vec<Vec<&str>>> = found.as_ref().map(|floors| {
                floors
                    .iter()
                    .map(|floor| floor.iter().map(String::as_str).collect())
                    .collect()
            });
            let expected = expected.map(|floors| floors.iter().map(|floor| floor.to_vec()).collect());
            assert_eq!(found, expected, "{page}");
        };
        check(" A crate.\n", None);
        check(" # Floors\n Prose alone.\n", None);
        check(" # Floors\n # Usage\n ```text\n a\n ```\n", None);
        check(" ```text\n a\n ```\n # Floors\n", None);
        check(
            " # Floors\n Prose.\n ```text\n a b/   leaves: c d\n        and more prose\n\n c\n ```\n d\n",
            Some(&[&["a", "b"], &["c"]]),
        );
        check(" # Floors\n ```text\n ```\n", Some(&[]));
    }
}
