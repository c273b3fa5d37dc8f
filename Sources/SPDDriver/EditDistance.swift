/// Returns the Levenshtein distance of two texts.
package func editDistance(_ first: String, _ second: String) -> Int {
  let second = Array(second)
  // Distances from the current prefix of `first` to each prefix of `second`.
  var row = Array(0...second.count)
  for (index, character) in first.enumerated() {
    var diagonal = row[0]
    row[0] = index + 1
    for column in second.indices {
      let replaced = diagonal + (character == second[column] ? 0 : 1)
      diagonal = row[column + 1]
      row[column + 1] = min(replaced, diagonal + 1, row[column] + 1)
    }
  }
  return row[second.count]
}
