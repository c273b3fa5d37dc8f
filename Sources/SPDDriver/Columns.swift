/// Formats rows as aligned columns; those in `right` are right-aligned.
package func columns(_ rows: [[String]], right: Set<Int> = []) -> String {
  guard let first = rows.first else { return "" }
  let widths = first.indices.map { column in rows.map { $0[column].count }.max() ?? 0 }
  return rows.map { row in
    row.enumerated().map { index, cell in
      let space = String(repeating: " ", count: widths[index] - cell.count)
      if right.contains(index) { return space + cell }
      return index == row.count - 1 ? cell : cell + space
    }.joined(separator: "  ") + "\n"
  }.joined()
}
