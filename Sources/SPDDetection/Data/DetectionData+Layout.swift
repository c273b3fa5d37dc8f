import SPDData
import SPDFormats

extension DetectionData {
  /// Recognises the layout of a folder without `data.yaml`.
  init(layoutOf root: String) throws(DataError) {
    let names = try Paths.listing(root)
    var sources: [Split: [String]] = [:]
    // images/train and labels/train
    if names.contains("images"), PathKind(of: Paths.joined(root, "images")) == .folder {
      for name in try Paths.listing(Paths.joined(root, "images"))
      where PathKind(of: Paths.joined(root, "images/\(name)")) == .folder {
        if let split = Split(folder: name) { sources[split, default: []].append("images/\(name)") }
      }
      if sources.isEmpty { sources[.train] = ["images"] }
    }
    // train/images and train/labels
    if sources.isEmpty {
      for name in names where PathKind(of: Paths.joined(root, "\(name)/images")) == .folder {
        if let split = Split(folder: name) { sources[split, default: []].append("\(name)/images") }
      }
    }
    guard !sources.isEmpty else {
      throw DataError(
        path: root,
        what: "is no detection data set; looked for data.yaml, images/train and train/images; found "
          + (names.isEmpty ? "nothing" : names.prefix(6).joined(separator: ", ")),
        remedy: "name the data.yaml, or the folder that holds images and labels")
    }
    var classNames: [String] = []
    var notes: [String] = []
    if let file = ["classes.txt", "labels/classes.txt"].first(where: { PathKind(of: Paths.joined(root, $0)) == .file })
    {
      classNames = try Paths.lines(of: Paths.joined(root, file)).map(printable)
      guard classNames.count <= maximumClasses else {
        throw DataError(
          path: Paths.joined(root, file), what: "has \(classNames.count) lines",
          remedy: "give the name of a class on each line, at most \(maximumClasses)")
      }
    }
    if classNames.isEmpty {
      notes.append(printable("\(root) has no data.yaml with `names`; classes are named by their numbers"))
    }
    self.init(path: root, root: root, classNames: classNames, sources: sources, images: nil, notes: notes)
  }
}

extension DetectionData.Split {
  /// The split that a folder's name suggests: `train`, `valid`, `val2017`.
  init?(folder name: String) {
    var word = Substring(name.lowercased())
    while let last = word.last, last.isASCII, last.isNumber { word.removeLast() }
    switch word {
    case "train", "training": self = .train
    case "val", "valid", "validation": self = .val
    case "test", "testing": self = .test
    default: return nil
    }
  }
}
