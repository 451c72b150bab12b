//! Names of customers that are made on demand: each has one of their own. None of them exists.

use gateway::domain::CustomerKind;

const FIRST: [&str; 24] = [
    "Sanne", "Daan", "Noor", "Bram", "Fleur", "Ruben", "Lotte", "Thijs", "Eva", "Milan", "Roos", "Stijn",
    "Iris", "Jesse", "Femke", "Lars", "Maud", "Koen", "Julia", "Sem", "Hanna", "Gijs", "Tess", "Olaf",
];

/// Their number has nothing in common with that of the first names and one, so that pairs repeat late.
const LAST: [&str; 32] = [
    "de Wit",
    "Vermeer",
    "van Leeuwen",
    "Kuipers",
    "Dekker",
    "Brouwer",
    "de Graaf",
    "Koster",
    "Prins",
    "Huisman",
    "Peters",
    "van Vliet",
    "Schouten",
    "Willems",
    "Hoekstra",
    "Koning",
    "de Haan",
    "Molenaar",
    "Verhoeven",
    "Bosman",
    "van Beek",
    "Jonker",
    "Timmer",
    "Wolters",
    "van Dam",
    "Scholten",
    "Post",
    "Kok",
    "van Wijk",
    "Blom",
    "Zwart",
    "Evers",
];

const TRADES: [&str; 24] = [
    "Atelier",
    "Bakkerij",
    "Drukkerij",
    "Garage",
    "Hoveniers",
    "Kapsalon",
    "Boekhandel",
    "Timmerwerken",
    "Slagerij",
    "Studio",
    "Werkplaats",
    "Zeilmakerij",
    "Kwekerij",
    "Schilders",
    "Ijssalon",
    "Brouwerij",
    "Fietsenmaker",
    "Installatie",
    "Reisbureau",
    "Advies",
    "Wijnhandel",
    "Meubelmakerij",
    "Transport",
    "Tegelhandel",
];

/// The name of the customer of a kind with so many before them.
pub(crate) fn of(kind: CustomerKind, ordinal: i64) -> String {
    let first = if kind == CustomerKind::Person { FIRST } else { TRADES };
    let ordinal = usize::try_from(ordinal).unwrap_or(0);
    let (own, before) = (ordinal % first.len(), ordinal / first.len());
    let round = ordinal / (first.len() * LAST.len());
    let last = LAST[(before + ordinal) % LAST.len()];
    // Whoever comes after all pairs were given has letters between the names.
    let middle: String = letters(round).chars().map(|letter| format!("{letter}. ")).collect();
    match kind {
        CustomerKind::Person => format!("{} {middle}{last}", first[own]),
        CustomerKind::Company => format!("{} {middle}{last} B.V.", first[own]),
    }
}

/// A number written with the letters of the alphabet, none for zero: A to Z, then AA and on.
fn letters(mut number: usize) -> String {
    let mut text = Vec::new();
    while number > 0 {
        number -= 1;
        text.push(b'A' + u8::try_from(number % 26).unwrap_or(0));
        number /= 26;
    }
    text.iter().rev().map(|letter| char::from(*letter)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everybody_has_a_name_of_their_own() {
        for kind in [CustomerKind::Person, CustomerKind::Company] {
            let names: std::collections::HashSet<_> = (0..30_000).map(|ordinal| of(kind, ordinal)).collect();
            assert_eq!(names.len(), 30_000);
            assert!(names.iter().all(|name| name.chars().count() <= 70 && name.contains(' ')));
        }
        assert_eq!((of(CustomerKind::Person, 0), letters(27)), ("Sanne de Wit".to_owned(), "AA".to_owned()));
    }
}
