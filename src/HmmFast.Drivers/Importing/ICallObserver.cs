namespace HmmFast.Drivers.Importing;

/// <summary>Told each hmm_range_fault call that an importer makes, for measurements: a request makes several when it is stale or a map fails.</summary>
public interface ICallObserver
{
    /// <summary>The call is about to be made.</summary>
    /// <param name="call">The call.</param>
    /// <param name="words">Its words as they go in.</param>
    void BeforeCall(in HmmRange call, ReadOnlySpan<HmmPfn> words);

    /// <summary>The call was made.</summary>
    /// <param name="call">The call.</param>
    /// <param name="words">Its words as they came out.</param>
    /// <param name="status">What it answered.</param>
    void AfterCall(in HmmRange call, ReadOnlySpan<HmmPfn> words, HmmStatus status);
}
