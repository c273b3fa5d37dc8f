import SPDVision

/// Some images of a data set, in any order.
public struct Subset: ImageDataset {
  public let base: any ImageDataset
  /// Indices into the base.
  public let indices: [Int]
  public let name: String

  public init(_ base: any ImageDataset, indices: [Int], name: String? = nil) {
    self.base = base
    self.indices = indices
    self.name = name ?? base.name
  }

  /// All images except some, such as those that a scan found broken.
  public init(_ base: any ImageDataset, excluding broken: [BrokenImage]) {
    let excluded = Set(broken.map(\.index))
    self.init(base, indices: (0..<base.count).filter { !excluded.contains($0) })
  }

  public var classNames: [String] { base.classNames }
  public var count: Int { indices.count }
  public func annotation(_ index: Int) -> Annotation { base.annotation(indices[index]) }
  public func image(_ index: Int) throws(DataError) -> Image { try base.image(indices[index]) }
  public func origin(_ index: Int) -> String { base.origin(indices[index]) }
}
