/// Whether no value is NaN or infinite. Vectorised: a detector has two million results per image.
package func allFinite(_ values: UnsafeBufferPointer<Float>) -> Bool {
  // The exponent of a number that is not finite has all bits set.
  let infinity = Float.infinity.bitPattern
  var largest: UInt32 = 0
  for value in values { largest = max(largest, value.bitPattern & ~(1 << 31)) }
  return largest < infinity
}
