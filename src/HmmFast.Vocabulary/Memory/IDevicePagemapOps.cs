namespace HmmFast;

/// <summary>What a pagemap's driver is told (<c>struct dev_pagemap_ops</c>).</summary>
public interface IDevicePagemapOps
{
    /// <summary>A CPU touch or another device's fault brought one private page back (<c>migrate_to_ram</c>); the page is already mapped in its new place.</summary>
    /// <param name="space">The address space whose fault it was.</param>
    /// <param name="vpn">The page.</param>
    /// <param name="devicePage">Where it was.</param>
    /// <param name="systemPage">Where it is.</param>
    void MigratedToRam(IAddressSpace space, Vpn vpn, Pfn devicePage, Pfn systemPage);

    /// <summary>A device page has no user any more (<c>page_free</c>).</summary>
    void PageFreed(Pfn devicePage);
}
