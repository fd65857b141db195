/* python.i - the private module shopdata._native: plain functions, no proxy classes. The package `shopdata` beside it is
 * what people import. */
%module(package="shopdata") _native

%{
#include <shopdata/shopdata.h>
%}

%include "shopdata.i"
