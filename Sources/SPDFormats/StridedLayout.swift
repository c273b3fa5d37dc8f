/// The layout of a tensor in a storage: element i₀,i₁… is at `offset` + Σ iₖ · `strides[k]`.
struct StridedLayout {
  let shape: [Int]
  let strides: [Int]
  let offset: Int
  /// Number of elements of the tensor.
  let count: Int

  /// Maximum number of axes: more than any library writes; numpy allows 64.
  static let maximumRank = 64

  /// Returns the layout if every element is within `available` elements; otherwise what is wrong with it.
  static func checked(shape: [Int], strides: [Int], offset: Int, available: Int) -> Result<StridedLayout, Fault> {
    guard shape.count <= maximumRank else {
      return .failure(Fault("has \(shape.count) axes, more than \(maximumRank)"))
    }
    guard strides.count == shape.count else {
      return .failure(Fault("has \(shape.count) axes and \(strides.count) strides"))
    }
    guard offset >= 0, strides.allSatisfy({ $0 >= 0 }) else {
      return .failure(Fault("has a negative offset or stride"))
    }
    guard let count = HostTensor.elementCount(of: shape) else {
      return .failure(Fault("has the impossible shape \(describe(shape: shape))"))
    }
    // The stride of an axis of one element is irrelevant.
    let steps = zip(shape, strides).map { $0 == 1 ? 0 : $1 }
    let layout = StridedLayout(shape: shape, strides: steps, offset: offset, count: count)
    guard count > 0 else { return .success(layout) }
    guard let last = layout.lastIndex, last < available else {
      return .failure(Fault("of shape \(describe(shape: shape)) reaches beyond its storage of \(available) elements"))
    }
    return .success(layout)
  }

  /// A description of what is wrong with a layout, as the end of a sentence about the tensor.
  struct Fault: Error {
    let text: String
    init(_ text: String) { self.text = text }
  }

  /// Index of the last element, or nil where it overflows. Only for non-empty tensors.
  private var lastIndex: Int? {
    var last = offset
    for (extent, stride) in zip(shape, strides) {
      let (reach, tooFar) = (extent - 1).multipliedReportingOverflow(by: stride)
      let (sum, overflow) = last.addingReportingOverflow(reach)
      if tooFar || overflow { return nil }
      last = sum
    }
    return last
  }

  /// Whether the elements are row-major without gaps.
  var isContiguous: Bool {
    var expected = 1
    for (extent, stride) in zip(shape, strides).reversed() where extent != 1 {
      if stride != expected { return false }
      expected *= extent
    }
    return true
  }

  /// Strides of an array in Fortran order; `elementCount(of:)` must accept the shape.
  static func columnMajorStrides(_ shape: [Int]) -> [Int] {
    // An empty array has no elements, and the product of its other extents may overflow.
    if shape.contains(0) { return [Int](repeating: 0, count: shape.count) }
    var stride = 1
    return shape.map { extent in
      defer { stride *= extent }
      return stride
    }
  }

  /// Gathers the tensor's elements from `storage`, row-major, still encoded: `count` × `size` bytes.
  func gather(from storage: ArraySlice<UInt8>, elementSize size: Int) -> ArraySlice<UInt8> {
    if count == 0 { return [] }
    if isContiguous {
      let start = storage.startIndex + offset * size
      return storage[start..<start + count * size]
    }
    switch size {
    case 1: return gather(from: storage, as: UInt8.self)
    case 2: return gather(from: storage, as: UInt16.self)
    case 4: return gather(from: storage, as: UInt32.self)
    default: return gather(from: storage, as: UInt64.self)
    }
  }

  private func gather<Raw: FixedWidthInteger>(from storage: ArraySlice<UInt8>, as type: Raw.Type) -> ArraySlice<UInt8> {
    let size = MemoryLayout<Raw>.size
    // Without the axes of one element, at each of which the counter below would carry.
    let axes = self.shape.indices.filter { self.shape[$0] != 1 }
    let (shape, strides) = (axes.map { self.shape[$0] }, axes.map { self.strides[$0] })
    let innerExtent = shape[shape.count - 1]
    let innerStride = strides[strides.count - 1]
    return [UInt8](unsafeUninitializedCapacity: count * size) { output, filled in
      let output = UnsafeMutableRawBufferPointer(output)
      storage.withUnsafeBytes { input in
        var index = [Int](repeating: 0, count: shape.count - 1)
        var start = offset
        var written = 0
        while written < count {
          for step in 0..<innerExtent {
            let raw = input.loadUnaligned(fromByteOffset: (start + step * innerStride) * size, as: Raw.self)
            output.storeBytes(of: raw, toByteOffset: (written + step) * size, as: Raw.self)
          }
          written += innerExtent
          // The next row: advance the outer axes like an odometer.
          for axis in index.indices.reversed() {
            index[axis] += 1
            start += strides[axis]
            if index[axis] < shape[axis] { break }
            start -= index[axis] * strides[axis]
            index[axis] = 0
          }
        }
      }
      filled = count * size
    }[...]
  }
}
