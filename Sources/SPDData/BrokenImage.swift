import Dispatch
import Foundation

/// An image that cannot be decoded.
public struct BrokenImage: Sendable, Equatable, CustomStringConvertible {
  /// Its index in the data set.
  public let index: Int
  /// Its path, what is wrong with it, and the remedy.
  public let error: DataError

  package init(index: Int, error: DataError) {
    self.index = index
    self.error = error
  }

  public var description: String { error.description }
}

extension ImageDataset {
  /// Decodes every image once and lists the broken ones by index. The list does not depend on the number of cores.
  ///
  /// - Parameter progress: called from several threads with the number of images checked so far.
  public func brokenImages(progress: (@Sendable (Int) -> Void)? = nil) -> [BrokenImage] {
    let chunk = 256
    let found = LockedList<BrokenImage>()
    let done = LockedList<Int>()
    DispatchQueue.concurrentPerform(iterations: (count + chunk - 1) / chunk) { part in
      let range = part * chunk..<min((part + 1) * chunk, count)
      for index in range {
        do throws(DataError) {
          _ = try image(index)
        } catch {
          found.append(BrokenImage(index: index, error: error))
        }
      }
      done.append(range.count)
      progress?(done.elements.reduce(0, +))
    }
    return found.elements.sorted { $0.index < $1.index }
  }
}

/// A list that several threads append to.
private final class LockedList<Element: Sendable>: @unchecked Sendable {
  private let lock = NSLock()
  private var list: [Element] = []

  func append(_ element: Element) { lock.withLock { list.append(element) } }
  var elements: [Element] { lock.withLock { list } }
}
