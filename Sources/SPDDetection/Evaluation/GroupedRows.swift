/// Row indices grouped by a small key: two stable counting sorts order rows by category, then image, then position.
struct GroupedRows {
  /// Rows by ascending key; rows of equal keys keep their order.
  private(set) var rows: [Int]
  /// The range of `rows` of each key.
  private(set) var ranges: [Range<Int>]

  /// - Parameters:
  ///   - rows: the rows to group.
  ///   - keys: each row's key in `0..<count`.
  init(_ rows: [Int], by keys: [Int], count: Int) {
    var starts = [Int](repeating: 0, count: count + 1)
    for row in rows { starts[keys[row] + 1] += 1 }
    for key in 0..<count { starts[key + 1] += starts[key] }
    ranges = (0..<count).map { starts[$0]..<starts[$0 + 1] }
    self.rows = [Int](repeating: 0, count: rows.count)
    for row in rows {
      self.rows[starts[keys[row]]] = row
      starts[keys[row]] += 1
    }
  }
}
