import SPDDriver

/// Which of a network's classes each class of a data set is, by name.
package struct ClassMap {
  /// By class of the data set; an unknown one is −1.
  package private(set) var indices: [Int]
  private let names: [String]
  private let known: [String]

  /// - Parameters:
  ///   - names: classes of the data set.
  ///   - known: classes that the network was trained on.
  package init(of names: [String], in known: [String]) {
    (self.names, self.known) = (names, known)
    // By their bytes: names that Unicode takes for the same may be two folders.
    var places: [[UInt8]: Int] = [:]
    for (index, name) in known.enumerated() { places[Array(name.utf8)] = index }
    indices = names.map { places[Array($0.utf8)] ?? -1 }
  }

  /// - Throws: `Failure` naming a class of the data set that the network does not know.
  package func check(weights: String, data: String) throws {
    let unknown = zip(names, indices).filter { $1 < 0 }.map(\.0)
    guard let first = unknown.first else { return }
    let more = unknown.count > 1 ? " and \(unknown.count - 1) more" : ""
    throw Failure(
      .data,
      "\(data): the class `\(first)`\(more) is not among the \(known.count) of \(weights) "
        + "(\(known.prefix(5).joined(separator: ", "))\(known.count > 5 ? ", …" : "")); "
        + "rename the folder, or leave it out")
  }
}
