using System.Runtime.CompilerServices;

namespace HmmFast.Memory;

/// <summary>
/// A slice of a <see cref="NativeColumn{T}"/>: an address and a length, nothing owned. Valid as long as the column is;
/// the holder guarantees not to keep it past the column's disposal. Lengths are 64-bit, unlike a span's.
/// </summary>
/// <typeparam name="T">The element.</typeparam>
public readonly unsafe struct ColumnView<T>
    where T : unmanaged
{
    private readonly T* _first;

    internal ColumnView(T* first, long length)
    {
        _first = first;
        Length = length;
    }

    /// <summary>Elements in the view.</summary>
    public long Length { get; }

    /// <summary>The address of element 0; the caller keeps to <see cref="Length"/>.</summary>
    internal T* Pointer => _first;

    /// <summary>One element, by reference.</summary>
    /// <param name="index">0 up to <see cref="Length"/> - 1.</param>
    /// <exception cref="ArgumentOutOfRangeException">The index is outside the view.</exception>
    public ref T this[long index]
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get
        {
            if ((ulong)index >= (ulong)Length)
            {
                MemoryThrow.Index(index, Length);
            }

            return ref _first[index];
        }
    }

    /// <summary>A part of the view.</summary>
    /// <param name="start">First element.</param>
    /// <param name="count">Elements.</param>
    /// <exception cref="ArgumentOutOfRangeException">The part does not lie inside the view.</exception>
    public ColumnView<T> Slice(long start, long count)
    {
        MemoryThrow.IfOutside(start, count, Length);
        return new ColumnView<T>(_first + start, count);
    }

    /// <summary>The whole view as a span.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The view is longer than a span can be.</exception>
    public Span<T> AsSpan()
    {
        MemoryThrow.IfOutside(0, Length, int.MaxValue);
        return new Span<T>(_first, (int)Length);
    }

    /// <summary>A part of the view as a span.</summary>
    /// <param name="start">First element.</param>
    /// <param name="count">Elements.</param>
    /// <exception cref="ArgumentOutOfRangeException">The part does not lie inside the view.</exception>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public Span<T> Span(long start, int count)
    {
        MemoryThrow.IfOutside(start, count, Length);
        return new Span<T>(_first + start, count);
    }
}
